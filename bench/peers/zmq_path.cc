#include <cstring>

#include <zmq.hpp>

#include "bench/farm/free_port.h"
#include "bench/load/closed_loop.h"
#include "bench/load/question.h"
#include "bench/peers/path_list.h"
#include "common/ops/process.h"

namespace farm::bench {
namespace {

constexpr std::size_t chunk_bytes = 1 << 20;
/// From here on libzmq sends our memory instead of a copy of it (below, the copy is cheaper).
constexpr std::size_t shared_bytes = 64 * 1024;

/// Raw libzmq: a DEALER asks, a ROUTER echoes; nothing is parsed. A question travels as one frame,
/// or as chunk messages whose answers are put together in one block, as a receiver would.
class ZmqPath final : public EchoPath {
  public:
    ZmqPath(std::string url, std::vector<ChildProcess> servers, bool is_chunked)
        : servers_(std::move(servers)),
          socket_(context_, zmq::socket_type::dealer),
          is_chunked_(is_chunked) {
        socket_.set(zmq::sockopt::linger, 0);
        socket_.set(zmq::sockopt::sndhwm, 0);
        socket_.set(zmq::sockopt::rcvhwm, 0);
        socket_.connect(url);
    }

    Result<Sample> run(const Load& load) override {
        question_ = make_question(load.bytes);
        if (is_chunked_) answer_.resize(load.bytes);
        is_checked_ = false;
        InOrder slots(load.outstanding);
        return closed_loop(
            load, [&](std::size_t) { return ask(); },
            [&]() -> Result<std::size_t> {
                if (const auto done = take(); !done) return tl::unexpected(done.error());
                return slots.next();
            });
    }

  private:
    Result<void> ask() {
        const std::size_t step = is_chunked_ ? chunk_bytes : question_.size();
        for (std::size_t at = 0; at < question_.size(); at += step) {
            send({question_.data() + at, std::min(step, question_.size() - at)});
        }
        return {};
    }

    void send(std::string_view bytes) {
        if (bytes.size() < shared_bytes) {
            socket_.send(zmq::buffer(bytes), zmq::send_flags::none);
            return;
        }
        zmq::message_t message(
            const_cast<char*>(bytes.data()), bytes.size(), [](void*, void*) {}, nullptr);
        socket_.send(message, zmq::send_flags::none);
    }

    Result<void> take() {
        zmq::message_t frame;
        std::size_t received = 0;
        do {
            if (!socket_.recv(frame)) return fail(ErrorCode::io, "zmq: no answer");
            if (is_chunked_ && received + frame.size() <= answer_.size()) {
                std::memcpy(answer_.data() + received, frame.data(), frame.size());
            }
            received += frame.size();
        } while (is_chunked_ && received < question_.size());
        if (is_checked_) return {};
        is_checked_ = true;
        const std::string_view answer =
            is_chunked_ ? std::string_view(answer_) : frame.to_string_view();
        return check_answer(question_, answer);
    }

    std::vector<ChildProcess> servers_;
    std::string question_;
    std::string answer_;  ///< of the chunks
    bool is_checked_{false};
    zmq::context_t context_;  ///< ends before the question that its messages may still hold
    zmq::socket_t socket_;
    bool is_chunked_;
};

std::string free_url() { return "tcp://127.0.0.1:" + std::to_string(free_port()); }

Result<ChildProcess> spawn(const PathOptions& options, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), options.executable);
    return ChildProcess::spawn({std::move(arguments), {}, {}, {}, false});
}

Result<std::unique_ptr<EchoPath>> make_plain(const PathOptions& options, bool is_chunked) {
    const std::string url = free_url();
    auto server = spawn(options, {"--serve", "zmq", "--url", url});
    if (!server) return tl::unexpected(server.error());
    std::vector<ChildProcess> servers;
    servers.push_back(std::move(*server));
    return std::make_unique<ZmqPath>(url, std::move(servers), is_chunked);
}

}  // namespace

Result<std::unique_ptr<EchoPath>> make_zmq_path(const PathOptions& options) {
    return make_plain(options, false);
}

Result<std::unique_ptr<EchoPath>> make_zmq_chunked_path(const PathOptions& options) {
    return make_plain(options, true);
}

Result<std::unique_ptr<EchoPath>> make_zmq_proxy_path(const PathOptions& options) {
    const std::string front = free_url();
    const std::string back = free_url();
    auto proxy = spawn(options, {"--serve", "zmq-proxy", "--url", front, "--backend-url", back});
    if (!proxy) return tl::unexpected(proxy.error());
    auto server = spawn(options, {"--serve", "zmq-worker", "--url", back});
    if (!server) return tl::unexpected(server.error());
    std::vector<ChildProcess> servers;
    servers.push_back(std::move(*proxy));
    servers.push_back(std::move(*server));
    return std::make_unique<ZmqPath>(front, std::move(servers), false);
}

}  // namespace farm::bench
