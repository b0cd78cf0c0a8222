#pragma once

#include <memory>
#include <string>

#include <grpcpp/grpcpp.h>

#include "bench/load/closed_loop.h"

namespace farm::bench {

/// To a server of this machine, without limits on the size of messages.
inline std::shared_ptr<grpc::Channel> open_channel(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetMaxSendMessageSize(-1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

inline Result<void> wait_connected(grpc::Channel& channel) {
    constexpr int most_s = 10;
    const auto until =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(most_s, GPR_TIMESPAN));
    if (channel.WaitForConnected(until)) return {};
    return fail(ErrorCode::unavailable, "the gRPC server does not answer");
}

/// One call that is under way.
template <class Answer>
struct GrpcCall {
    std::size_t slot{0};
    grpc::ClientContext context;
    Answer answer;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Answer>> reader;
};

/// closed_loop() over unary calls on one completion queue. `start(context, queue, slot)` gives the
/// call's reader; `check(answer, slot)` is asked about the first answer.
template <class Answer, class Start, class Check>
Result<Sample> call_loop(const Load& load, Start start, Check check) {
    grpc::CompletionQueue queue;
    bool is_checked = false;
    const auto sample = closed_loop(
        load,
        [&](std::size_t slot) -> Result<void> {
            auto* call = new GrpcCall<Answer>;  // owned by its tag on the queue
            call->slot = slot;
            call->reader = start(&call->context, &queue, slot);
            call->reader->Finish(&call->answer, &call->status, call);
            return {};
        },
        [&]() -> Result<std::size_t> {
            void* tag = nullptr;
            bool ok = false;
            if (!queue.Next(&tag, &ok)) return fail(ErrorCode::internal, "gRPC's queue has ended");
            const std::unique_ptr<GrpcCall<Answer>> call(static_cast<GrpcCall<Answer>*>(tag));
            if (!call->status.ok()) return fail(ErrorCode::io, call->status.error_message());
            if (!is_checked) {
                if (const auto same = check(call->answer, call->slot); !same) {
                    return tl::unexpected(same.error());
                }
                is_checked = true;
            }
            return call->slot;
        });
    queue.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue.Next(&tag, &ok);) {
        delete static_cast<GrpcCall<Answer>*>(tag);
    }
    return sample;
}

}  // namespace farm::bench
