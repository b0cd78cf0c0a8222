#include "schemas/same_host.h"

namespace farm {

std::string same_host_address(std::string_view host, std::string_view socket) {
    if (host.empty() || socket.empty()) return {};
    return std::string(host) + '/' + std::string(socket);
}

std::string_view socket_on(std::string_view host, std::string_view address) {
    if (host.empty() || !address.starts_with(host)) return {};
    address.remove_prefix(host.size());
    if (!address.starts_with('/')) return {};
    return address.substr(1);
}

}  // namespace farm
