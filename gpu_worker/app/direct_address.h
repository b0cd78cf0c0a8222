#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/net/router.h"
#include "common/net/same_host/same_host_links.h"

namespace farm {

/// Where clients may connect to this worker (direct path), as the flags say.
struct DirectAddressOptions {
    std::string bind{"auto"};  ///< an address, "auto" or "off"
    std::string announce;      ///< as clients see it; empty: with this host's name
    bool insecure{false};
};

/// The listening sockets and what is told about them; all empty when there is no direct path.
struct DirectAddress {
    std::unique_ptr<Router> control;
    std::unique_ptr<Router> bulk;
    std::string url;
    std::string bulk_url;
    std::string key;  ///< CURVE public key, Z85; empty without CURVE
};

/// "auto" listens on a local socket when all `brokers` are on this machine, else on any tcp port if
/// there are keys or `insecure` is said, else not at all. With keys the sockets are encrypted and
/// any key may connect: the sealed lease, not the key, is what lets a client call.
Result<DirectAddress> listen_for_clients(Context& context, const DirectAddressOptions& options,
                                         const std::vector<std::string>& brokers,
                                         const std::optional<CurveClient>& curve);

/// Where clients of this user on this host may connect.
struct SameHostAddress {
    std::unique_ptr<SameHostLinks> links;  ///< listening; null: not so
    std::string address;                   ///< schemas/same_host.h
};

/// Errors: no descriptor is left. Without /proc there is no such address.
Result<SameHostAddress> listen_within_host();

}  // namespace farm
