#include <cstring>
#include <deque>

#include <zmq.hpp>

#include "bench/peers/echo_path.h"
#include "bench/peers/free_port.h"
#include "common/core/clock.h"
#include "common/ops/process.h"

namespace farm::bench {
namespace {

/// Raw libzmq: a DEALER asks, a ROUTER echoes; nothing is parsed.
class ZmqPath final : public EchoPath {
  public:
    ZmqPath(std::string name, std::string url, std::vector<ChildProcess> servers)
        : name_(std::move(name)),
          servers_(std::move(servers)),
          socket_(context_, zmq::socket_type::dealer) {
        socket_.set(zmq::sockopt::linger, 0);
        socket_.connect(url);
    }
    std::string name() const override { return name_; }

    Result<Sample> run(const Load& load) override {
        const std::string question(load.bytes, 'x');
        std::deque<TimePoint> sent;  // answers come in order
        Latencies latencies;
        const auto ask = [&] {
            sent.push_back(steady_now());
            socket_.send(zmq::buffer(question), zmq::send_flags::none);
        };
        for (int i = 0; i < load.outstanding; ++i) ask();
        const TimePoint begin = steady_now();
        const auto length = std::chrono::duration<double>(load.seconds);
        TimePoint now = begin;
        zmq::message_t answer;
        while (!sent.empty()) {
            if (!socket_.recv(answer)) return fail(ErrorCode::io, name_ + ": no answer");
            now = steady_now();
            latencies.add(std::chrono::duration<double, std::micro>(now - sent.front()).count());
            sent.pop_front();
            if (now - begin < length) ask();
        }
        return latencies.summary(std::chrono::duration<double>(now - begin).count());
    }

  private:
    std::string name_;
    std::vector<ChildProcess> servers_;
    zmq::context_t context_;
    zmq::socket_t socket_;
};

Result<ChildProcess> spawn(const PathOptions& options, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), options.executable);
    return ChildProcess::spawn({std::move(arguments), {}, {}, {}, false});
}

}  // namespace

Result<std::unique_ptr<EchoPath>> make_zmq_path(const PathOptions& options) {
    const std::string url = "tcp://127.0.0.1:" + std::to_string(free_port());
    auto server = spawn(options, {"--serve", "zmq", "--url", url});
    if (!server) return tl::unexpected(server.error());
    std::vector<ChildProcess> servers;
    servers.push_back(std::move(*server));
    return std::make_unique<ZmqPath>("zmq", url, std::move(servers));
}

Result<std::unique_ptr<EchoPath>> make_zmq_proxy_path(const PathOptions& options) {
    const std::string front = "tcp://127.0.0.1:" + std::to_string(free_port());
    const std::string back = "tcp://127.0.0.1:" + std::to_string(free_port());
    auto proxy = spawn(options, {"--serve", "zmq-proxy", "--url", front, "--backend-url", back});
    if (!proxy) return tl::unexpected(proxy.error());
    auto server = spawn(options, {"--serve", "zmq-worker", "--url", back});
    if (!server) return tl::unexpected(server.error());
    std::vector<ChildProcess> servers;
    servers.push_back(std::move(*proxy));
    servers.push_back(std::move(*server));
    return std::make_unique<ZmqPath>("zmq_proxy", front, std::move(servers));
}

int serve_zmq_echo(const std::string& url, bool connects) {
    zmq::context_t context;
    // Behind a proxy's DEALER a DEALER echoes envelope and body alike.
    zmq::socket_t socket(context, connects ? zmq::socket_type::dealer : zmq::socket_type::router);
    connects ? socket.connect(url) : socket.bind(url);
    for (;;) {
        zmq::message_t frame;
        if (!socket.recv(frame)) continue;
        const bool more = frame.more();
        socket.send(frame, more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
}

int serve_zmq_proxy(const std::string& front, const std::string& back) {
    zmq::context_t context;
    zmq::socket_t router(context, zmq::socket_type::router);
    zmq::socket_t dealer(context, zmq::socket_type::dealer);
    router.bind(front);
    dealer.bind(back);
    zmq::proxy(router, dealer);
    return 0;
}

}  // namespace farm::bench
