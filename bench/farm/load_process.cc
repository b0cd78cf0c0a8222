#include "bench/farm/load_process.h"

#include <chrono>

#include <zmq.hpp>

namespace farm::bench {
namespace {

constexpr std::string_view ready = "ready";
constexpr std::string_view error_mark = "error: ";
constexpr auto look_at_child = std::chrono::milliseconds(100);

std::string receive_text(zmq::socket_t& socket) {
    zmq::message_t message;
    if (!socket.recv(message)) return {};
    return message.to_string();
}

std::string perform(const RunLoad& run, const std::string& request) {
    const auto load = parse_load(request);
    if (!load) return std::string(error_mark) + load.error().message;
    const auto sample = run(*load);
    if (!sample) return std::string(error_mark) + sample.error().message;
    return to_json(*sample);
}

}  // namespace

LoadProcess::LoadProcess(std::unique_ptr<zmq::context_t> context,
                         std::unique_ptr<zmq::socket_t> socket, ChildProcess child)
    : context_(std::move(context)), socket_(std::move(socket)), child_(std::move(child)) {}
LoadProcess::~LoadProcess() = default;
LoadProcess::LoadProcess(LoadProcess&&) noexcept = default;
LoadProcess& LoadProcess::operator=(LoadProcess&&) noexcept = default;

Result<LoadProcess> LoadProcess::start(const std::string& control_url,
                                       std::vector<std::string> command, const std::string& log) {
    auto context = std::make_unique<zmq::context_t>(1);
    auto socket = std::make_unique<zmq::socket_t>(*context, zmq::socket_type::req);
    socket->set(zmq::sockopt::linger, 0);
    try {
        socket->bind(control_url);
    } catch (const zmq::error_t& error) {
        return fail(ErrorCode::io, "cannot bind '" + control_url + "' (" + error.what() + ")");
    }
    auto child = ChildProcess::spawn({std::move(command), {}, log, log, true});
    if (!child) return tl::unexpected(child.error());
    LoadProcess process(std::move(context), std::move(socket), std::move(*child));
    const auto answer = process.ask(std::string(ready));
    if (!answer) return tl::unexpected(answer.error());
    return process;
}

Result<std::string> LoadProcess::ask(const std::string& request) {
    socket_->send(zmq::buffer(request), zmq::send_flags::none);
    zmq::pollitem_t item{*socket_, 0, ZMQ_POLLIN, 0};
    while (zmq::poll(&item, 1, look_at_child) == 0) {
        if (child_.running()) continue;
        // What it said before it ended may have come in between.
        if (zmq::poll(&item, 1, look_at_child) > 0) break;
        return fail(ErrorCode::io,
                    "the process that measures has ended (" + to_string(*child_.status()) + ")");
    }
    std::string answer = receive_text(*socket_);
    if (!answer.starts_with(error_mark)) return answer;
    return fail(ErrorCode::io, answer.substr(error_mark.size()));
}

Result<Sample> LoadProcess::run(const Load& load) {
    const auto answer = ask(to_json(load));
    if (!answer) return tl::unexpected(answer.error());
    return parse_sample(*answer);
}

int serve_loads(const std::string& control_url, Result<RunLoad> run) {
    zmq::context_t context(1);
    zmq::socket_t socket(context, zmq::socket_type::rep);
    socket.connect(control_url);
    receive_text(socket);
    const std::string first =
        run ? std::string(ready) : std::string(error_mark) + run.error().message;
    socket.send(zmq::buffer(first), zmq::send_flags::none);
    if (!run) return 1;
    for (;;) {
        const std::string answer = perform(*run, receive_text(socket));
        socket.send(zmq::buffer(answer), zmq::send_flags::none);
    }
}

}  // namespace farm::bench
