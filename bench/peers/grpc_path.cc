#include <thread>

#include <grpcpp/grpcpp.h>

#include "bench/peers/echo.grpc.pb.h"
#include "bench/peers/echo_path.h"
#include "bench/peers/free_port.h"
#include "common/core/clock.h"
#include "common/ops/process.h"

namespace farm::bench {
namespace {

class EchoService final : public Echo::Service {
    grpc::Status Call(grpc::ServerContext*, const Tensor* question, Tensor* answer) override {
        answer->set_data(question->data());
        return grpc::Status::OK;
    }
};

/// gRPC C++ unary calls: synchronous server, completion-queue client on one channel.
class GrpcPath final : public EchoPath {
  public:
    GrpcPath(const std::string& address, ChildProcess server) : server_(std::move(server)) {
        grpc::ChannelArguments arguments;
        arguments.SetMaxReceiveMessageSize(-1);
        arguments.SetMaxSendMessageSize(-1);
        channel_ =
            grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
        stub_ = Echo::NewStub(channel_);
    }
    std::string name() const override { return "grpc"; }

    Result<Sample> run(const Load& load) override {
        if (!channel_->WaitForConnected(gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                                                     gpr_time_from_seconds(10, GPR_TIMESPAN)))) {
            return fail(ErrorCode::unavailable, "grpc: the echo server does not answer");
        }
        Tensor question;
        question.set_data(std::string(load.bytes, 'x'));
        grpc::CompletionQueue queue;
        Latencies latencies;
        int open = 0;
        const auto ask = [&] {
            auto* call = new OpenCall;
            call->sent = steady_now();
            call->reader = stub_->AsyncCall(&call->context, question, &queue);
            call->reader->Finish(&call->answer, &call->status, call);
            ++open;
        };
        for (int i = 0; i < load.outstanding; ++i) ask();
        const TimePoint begin = steady_now();
        TimePoint now = begin;
        void* tag = nullptr;
        bool ok = false;
        std::string problem;
        while (open > 0 && queue.Next(&tag, &ok)) {
            const std::unique_ptr<OpenCall> call(static_cast<OpenCall*>(tag));
            now = steady_now();
            --open;
            if (!call->status.ok()) problem = call->status.error_message();
            latencies.add(std::chrono::duration<double, std::micro>(now - call->sent).count());
            if (problem.empty() && now - begin < std::chrono::duration<double>(load.seconds)) ask();
        }
        queue.Shutdown();
        while (queue.Next(&tag, &ok)) {
        }
        if (!problem.empty()) return fail(ErrorCode::io, "grpc: " + problem);
        return latencies.summary(std::chrono::duration<double>(now - begin).count());
    }

  private:
    struct OpenCall {
        TimePoint sent;
        grpc::ClientContext context;
        Tensor answer;
        grpc::Status status;
        std::unique_ptr<grpc::ClientAsyncResponseReader<Tensor>> reader;
    };

    ChildProcess server_;
    std::shared_ptr<grpc::Channel> channel_;
    std::unique_ptr<Echo::Stub> stub_;
};

}  // namespace

Result<std::unique_ptr<EchoPath>> make_grpc_path(const PathOptions& options) {
    const std::string address = "127.0.0.1:" + std::to_string(free_port());
    auto server = ChildProcess::spawn(
        {{options.executable, "--serve", "grpc", "--url", address}, {}, {}, {}, false});
    if (!server) return tl::unexpected(server.error());
    return std::make_unique<GrpcPath>(address, std::move(*server));
}

int serve_grpc(const std::string& address) {
    EchoService service;
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(-1);
    builder.SetMaxSendMessageSize(-1);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    builder.BuildAndStart()->Wait();
    return 0;
}

}  // namespace farm::bench
