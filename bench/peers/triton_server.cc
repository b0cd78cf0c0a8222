#include "bench/peers/triton_server.h"

#include <fstream>
#include <thread>

#include "bench/farm/free_port.h"
#include "bench/farm/programs.h"
#include "bench/peers/http_connection.h"
#include "common/core/clock.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr auto start_limit = std::chrono::seconds(60);
constexpr auto ask_again = std::chrono::milliseconds(20);
constexpr const char* backend_name = "echo";

Result<void> write_model(const fs::path& repository, const std::string& model) {
    fs::create_directories(repository / model / "1");
    std::ofstream config(repository / model / "config.pbtxt");
    config << "name: \"" << model << "\"\nbackend: \"" << backend_name << "\"\n"
           << "max_batch_size: 0\n"
              "input [{ name: \"INPUT0\" data_type: TYPE_UINT8 dims: [-1] }]\n"
              "output [{ name: \"OUTPUT0\" data_type: TYPE_UINT8 dims: [-1] }]\n"
              "instance_group [{ kind: KIND_CPU count: 1 }]\n";
    config.close();
    return config.good() ? Result<void>{} : fail(ErrorCode::io, "cannot write a model for Triton");
}

Result<void> place_backend(const fs::path& backends) {
    const fs::path built = fs::path(build_folder()) / "bench/peers/libtriton_echo.so";
    if (!fs::exists(built)) {
        return fail(ErrorCode::not_found, "'" + built.string() + "' is not there: build it");
    }
    fs::create_directories(backends / backend_name);
    std::error_code error;
    fs::create_symlink(built, backends / backend_name / "libtriton_echo.so", error);
    if (error) return fail(ErrorCode::io, "cannot place Triton's backend: " + error.message());
    return {};
}

bool is_ready(const std::string& address) {
    auto connection = HttpConnection::open(address);
    if (!connection) return false;
    const auto answer = connection->exchange("GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n");
    return answer && answer->status == 200;
}

}  // namespace

Result<TritonServer> TritonServer::start(const fs::path& root, const fs::path& scratch) {
    const fs::path program = root / "pytriton/tritonserver/bin/tritonserver";
    if (!fs::exists(program)) {
        return fail(ErrorCode::not_found, "'" + program.string() + "' is not there");
    }
    for (const std::string model : {"identity", "sum"}) {
        if (const auto done = write_model(scratch / "models", model); !done) {
            return tl::unexpected(done.error());
        }
    }
    if (const auto done = place_backend(scratch / "backends"); !done) {
        return tl::unexpected(done.error());
    }
    const std::string grpc_port = std::to_string(free_port());
    const std::string http_port = std::to_string(free_port());
    const std::string log = (scratch / "triton.log").string();
    auto child = ChildProcess::spawn(
        {{program.string(), "--model-repository", (scratch / "models").string(),
          "--backend-directory", (scratch / "backends").string(), "--http-address", "127.0.0.1",
          "--http-port", http_port, "--grpc-address", "127.0.0.1", "--grpc-port", grpc_port,
          "--allow-metrics", "false"},
         {},
         log,
         log,
         true});
    if (!child) return tl::unexpected(child.error());
    const std::string http = "127.0.0.1:" + http_port;
    const TimePoint until = steady_now() + start_limit;
    while (!is_ready(http)) {
        if (!child->running() || steady_now() > until) {
            return fail(ErrorCode::unavailable, "the Triton server does not start: see " + log);
        }
        std::this_thread::sleep_for(ask_again);
    }
    return TritonServer(std::move(*child), "127.0.0.1:" + grpc_port, http);
}

}  // namespace farm::bench
