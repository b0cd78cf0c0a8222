#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"

namespace farm {

/// A checked address of a socket.
struct Url {
    enum class Scheme : std::uint8_t { tcp, ipc };

    Scheme scheme{Scheme::tcp};
    std::string host;       ///< tcp: name, IPv4, IPv6 without brackets, or "*" (bind only)
    std::uint16_t port{0};  ///< tcp: 0 = any free port (bind only)
    std::string path;       ///< ipc: file, "@name" (abstract), or "*" (bind only)

    /// As libzmq wants it: "tcp://[::1]:5600", "tcp://*:*", "ipc:///run/farm.sock".
    std::string text() const;
    bool any_host() const;  ///< "*", "0.0.0.0" or "::": not an address to connect to
    bool ipv6() const { return host.find(':') != std::string::npos; }
    /// Cannot be reached from another machine: ipc, 127.0.0.0/8, ::1, localhost.
    bool local() const;

    friend bool operator==(const Url&, const Url&) = default;
};

/// An address to connect to. "localhost" becomes 127.0.0.1. Errors (invalid) name the text.
Result<Url> parse_url(std::string_view text);
/// An address to listen on: also "tcp://*:5600", port 0 or "*", "ipc://*".
Result<Url> parse_bind_url(std::string_view text);

/// `announced` with its host replaced by that of `dialled` when it names no host (a broker bound
/// to "*" announces "tcp://[::]:5601" as its bulk address). Else `announced` as it is.
std::string reachable_url(std::string_view announced, std::string_view dialled);

/// The brokers of one `--broker` value: "tcp://a:5600,tcp://b:5600", "@file" (one address per line,
/// '#' comments), "srv://_farm._tcp.site.org" (DNS SRV, by priority then weight), and mixtures.
/// Duplicates are dropped. Errors: unreadable file (not_found), a bad address with its line, an
/// empty list, more than limits::broker_count. Asks DNS, and so may block for seconds.
Result<std::vector<std::string>> resolve_brokers(std::string_view list);

/// Rule 15: tcp beyond this machine needs CURVE, unless the operator said `--insecure`.
Result<void> check_bind_security(const Url& url, bool has_curve, bool insecure);

}  // namespace farm
