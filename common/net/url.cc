#include "common/net/url.h"

#include <charconv>
#include <optional>

#include <arpa/inet.h>

#include "schemas/limits.h"

namespace farm {
namespace {

constexpr std::size_t ipc_path_bytes = 107;  // sockaddr_un::sun_path without its NUL

enum class Purpose : std::uint8_t { connect, bind };

tl::unexpected<Error> bad_url(std::string_view text, const std::string& why) {
    constexpr std::size_t shown = 100;
    std::string seen(text.substr(0, shown));
    if (text.size() > shown) seen += "...";
    return fail(ErrorCode::invalid,
                "address '" + seen + "' " + why +
                    ": write tcp://host:port or ipc:///path, for instance tcp://head:5600");
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

bool is_ipv6_literal(const std::string& host) {
    in6_addr parsed{};
    return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

Result<void> check_host(std::string_view text, const std::string& host, Purpose purpose) {
    if (host.empty()) return bad_url(text, "has no host");
    if (host == "*") {
        if (purpose == Purpose::bind) return {};
        return bad_url(text, "has host '*' (which means every address, and can only be bound)");
    }
    if (host.find(':') != std::string::npos) {
        if (is_ipv6_literal(host)) return {};
        return bad_url(text, "has a host that is not an IPv6 address");
    }
    for (char c : host) {
        if (!is_host_character(c))
            return bad_url(text,
                           "has a host with a character other than letters, digits, '.', '-'");
    }
    return {};
}

std::optional<std::uint16_t> parse_port(std::string_view text, Purpose purpose) {
    if (purpose == Purpose::bind && text == "*") return 0;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (port == 0 && purpose == Purpose::connect) return std::nullopt;
    return port;
}

Result<Url> parse_tcp(std::string_view text, std::string_view rest, Purpose purpose) {
    const auto colon = rest.rfind(':');
    if (colon == std::string_view::npos || rest.back() == ']') return bad_url(text, "has no port");
    std::string host(rest.substr(0, colon));
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        if (!is_ipv6_literal(host)) return bad_url(text, "has a host that is not an IPv6 address");
    } else if (host.find(':') != std::string::npos) {
        return bad_url(text, "has more than one ':' (IPv6 addresses go into brackets)");
    }
    if (auto checked = check_host(text, host, purpose); !checked) {
        return tl::unexpected<Error>(checked.error());
    }
    const auto port = parse_port(rest.substr(colon + 1), purpose);
    if (!port) {
        return bad_url(text, purpose == Purpose::bind ? "has no port of 0 to 65535"
                                                      : "has no port of 1 to 65535");
    }
    // libzmq would resolve it to ::1 first, where a server bound to 127.0.0.1 does not listen.
    if (host == "localhost") host = "127.0.0.1";
    return Url{Url::Scheme::tcp, std::move(host), *port, {}};
}

Result<Url> parse_ipc(std::string_view text, std::string_view rest, Purpose purpose) {
    if (rest.empty() || rest == "@") return bad_url(text, "has no path");
    if (rest == "*" && purpose == Purpose::connect) {
        return bad_url(text, "has path '*' (which means any, and can only be bound)");
    }
    if (rest.size() > ipc_path_bytes) {
        return bad_url(text, "has a path of " + std::to_string(rest.size()) +
                                 " bytes (a Unix socket takes " + std::to_string(ipc_path_bytes) +
                                 ")");
    }
    return Url{Url::Scheme::ipc, {}, 0, std::string(rest)};
}

Result<Url> parse(std::string_view text, Purpose purpose) {
    if (text.size() > limits::url_bytes) {
        return bad_url(text, "has " + std::to_string(text.size()) + " bytes (limit " +
                                 std::to_string(limits::url_bytes) + ")");
    }
    for (char c : text) {
        if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f)
            return bad_url(text, "has a blank or control character");
    }
    constexpr std::string_view tcp = "tcp://";
    constexpr std::string_view ipc = "ipc://";
    if (text.starts_with(tcp)) return parse_tcp(text, text.substr(tcp.size()), purpose);
    if (text.starts_with(ipc)) return parse_ipc(text, text.substr(ipc.size()), purpose);
    return bad_url(text, "starts with neither tcp:// nor ipc://");
}

}  // namespace

std::string Url::text() const {
    if (scheme == Scheme::ipc) return "ipc://" + path;
    const std::string shown = ipv6() ? "[" + host + "]" : host;
    return "tcp://" + shown + ":" + (port == 0 ? "*" : std::to_string(port));
}

bool Url::any_host() const {
    return scheme == Scheme::tcp && (host == "*" || host == "0.0.0.0" || host == "::");
}

bool Url::local() const {
    if (scheme == Scheme::ipc) return true;
    if (host == "localhost" || host == "::1") return true;
    in_addr parsed{};
    if (inet_pton(AF_INET, host.c_str(), &parsed) != 1) return false;
    return (ntohl(parsed.s_addr) >> 24) == 127;
}

Result<Url> parse_url(std::string_view text) { return parse(text, Purpose::connect); }
Result<Url> parse_bind_url(std::string_view text) { return parse(text, Purpose::bind); }

std::string reachable_url(std::string_view announced, std::string_view dialled) {
    auto url = parse_bind_url(announced);
    const auto known = parse_url(dialled);
    if (!url || !known || !url->any_host() || known->scheme != Url::Scheme::tcp) {
        return std::string(announced);
    }
    url->host = known->host;
    return url->text();
}

Result<void> check_bind_security(const Url& url, bool has_curve, bool insecure) {
    if (has_curve || insecure || url.local()) return {};
    return fail(ErrorCode::unauthorized, "refusing to listen on " + url.text() +
                                             " without keys (any machine that reaches it could "
                                             "send calls): give --key FILE and "
                                             "--allow FOLDER (made by 'farm keygen'), listen on "
                                             "127.0.0.1 or ipc, or say --insecure");
}

}  // namespace farm
