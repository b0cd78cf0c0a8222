#include <grpcpp/grpcpp.h>

#include "bench/farm/free_port.h"
#include "bench/load/closed_loop.h"
#include "bench/load/question.h"
#include "bench/peers/echo.grpc.pb.h"
#include "bench/peers/grpc_caller.h"
#include "bench/peers/grpc_server.h"
#include "bench/peers/path_list.h"
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
    GrpcPath(const std::string& address, ChildProcess server)
        : server_(std::move(server)),
          channel_(open_channel(address)),
          service_(Echo::NewStub(channel_)) {}

    Result<Sample> run(const Load& load) override {
        if (const auto done = wait_connected(*channel_); !done) {
            return tl::unexpected(done.error());
        }
        Tensor question;
        question.set_data(make_question(load.bytes));
        return call_loop<Tensor>(
            load,
            [&](grpc::ClientContext* context, grpc::CompletionQueue* queue, std::size_t) {
                return service_->AsyncCall(context, question, queue);
            },
            [&](const Tensor& answer, std::size_t) {
                return check_answer(question.data(), answer.data());
            });
    }

  private:
    ChildProcess server_;
    std::shared_ptr<grpc::Channel> channel_;
    decltype(Echo::NewStub(nullptr)) service_;  ///< calls it
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
