#include "bench/peers/http_connection.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace farm::bench {
namespace {

constexpr std::size_t read_bytes = 1 << 20;
constexpr int exchange_limit_ms = 5000;

tl::unexpected<Error> io_error(const std::string& what) {
    return fail(ErrorCode::io, "http: cannot " + what + " (" + std::strerror(errno) + ")");
}

/// Without regard to upper and lower case, as HTTP wants it.
std::string_view header_value(std::string_view header, std::string_view name) {
    const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
    const auto at = std::search(header.begin(), header.end(), name.begin(), name.end(), same);
    if (at == header.end()) return {};
    std::string_view rest =
        header.substr(static_cast<std::size_t>(at - header.begin()) + name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    return rest.substr(0, rest.find("\r\n"));
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
    return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
}

}  // namespace

Result<HttpConnection> HttpConnection::open(const std::string& address) {
    const auto colon = address.rfind(':');
    std::uint16_t port = 0;
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    if (colon == std::string::npos ||
        !read_number(std::string_view(address).substr(colon + 1), port) ||
        ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr) != 1) {
        return fail(ErrorCode::invalid, "'" + address + "' is not IPV4:PORT");
    }
    peer.sin_port = htons(port);
    HttpConnection connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(connection.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (::connect(connection.fd_, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)) != 0) {
        return io_error("connect to " + address);
    }
    ::fcntl(connection.fd_, F_SETFL, O_NONBLOCK);
    return connection;
}

HttpConnection::~HttpConnection() {
    if (fd_ >= 0) ::close(fd_);
}

HttpConnection::HttpConnection(HttpConnection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), rest_(other.rest_) {}

Result<void> HttpConnection::start(std::string_view request) {
    rest_ = request;
    filled_bytes_ = header_bytes_ = total_bytes_ = 0;
    return send_more();
}

Result<void> HttpConnection::send_more() {
    while (!rest_.empty()) {
        const ssize_t sent = ::send(fd_, rest_.data(), rest_.size(), MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN ? Result<void>{} : io_error("send");
        rest_.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<bool> HttpConnection::receive_some() {
    // The block is as large as the answer once that is known: no byte is moved twice.
    if (total_bytes_ == 0 && input_.size() < filled_bytes_ + read_bytes) {
        input_.resize(filled_bytes_ + read_bytes);
    }
    const std::size_t room = (total_bytes_ > 0 ? total_bytes_ : input_.size()) - filled_bytes_;
    const ssize_t got = ::recv(fd_, input_.data() + filled_bytes_, room, 0);
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) return io_error("receive");
    filled_bytes_ += static_cast<std::size_t>(got);
    if (header_bytes_ == 0) {
        const auto known = parse_header();
        if (!known || !*known) return known;
    }
    if (filled_bytes_ < total_bytes_) return false;
    input_.resize(total_bytes_);
    return true;
}

Result<bool> HttpConnection::parse_header() {
    const std::string_view text(input_.data(), filled_bytes_);
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view header = text.substr(0, end + 2);
    header_bytes_ = end + 4;
    std::size_t length = 0;
    constexpr std::string_view version = "HTTP/1.1 ";
    if (!header.starts_with(version) || !read_number(header.substr(version.size()), status_) ||
        !read_number(header_value(header, "\r\nContent-Length:"), length)) {
        return fail(ErrorCode::protocol, "http: an answer without status or Content-Length");
    }
    total_bytes_ = header_bytes_ + length;
    if (input_.size() < total_bytes_) input_.resize(total_bytes_);
    return true;
}

Result<HttpAnswer> HttpConnection::exchange(std::string_view request) {
    if (const auto done = start(request); !done) return tl::unexpected(done.error());
    for (;;) {
        pollfd item{fd_, static_cast<short>(POLLIN | (wants_to_send() ? POLLOUT : 0)), 0};
        if (::poll(&item, 1, exchange_limit_ms) <= 0) return io_error("wait for an answer");
        if (const auto done = send_more(); !done) return tl::unexpected(done.error());
        const auto complete = receive_some();
        if (!complete) return tl::unexpected(complete.error());
        if (*complete) return HttpAnswer{status_, std::string(body())};
    }
}

}  // namespace farm::bench
