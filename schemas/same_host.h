#pragma once

#include <string>
#include <string_view>

/// Where a worker can be called from its own host: "<boot id>/<user>/<socket>". A *host* is the
/// part before the socket: processes of one user on one running kernel.
namespace farm {

std::string same_host_address(std::string_view host, std::string_view socket);

/// The socket, when `address` is on `host`; empty when it is elsewhere, or either is empty.
std::string_view socket_on(std::string_view host, std::string_view address);

}  // namespace farm
