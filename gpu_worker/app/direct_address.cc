#include "gpu_worker/app/direct_address.h"

#include <algorithm>

#include <unistd.h>

#include "common/net/listener.h"
#include "common/net/url.h"
#include "common/ops/host.h"
#include "common/ops/log.h"
#include "common/ops/random.h"
#include "schemas/same_host.h"

namespace farm {
namespace {

bool is_local(const std::string& broker) {
    const auto url = parse_url(broker);
    return url && url->local();
}

/// Abstract: nothing is left behind, however this process ends.
std::string socket_name(const std::string& kind) {
    return "@farm-worker-" + kind + "-" + std::to_string(::getpid()) + "-" +
           std::to_string(random_u64());
}

std::string bind_address(const DirectAddressOptions& options,
                         const std::vector<std::string>& brokers, bool has_curve) {
    if (options.bind == "off") return {};
    if (options.bind != "auto") return options.bind;
    if (std::ranges::all_of(brokers, is_local)) return "ipc://" + socket_name("direct");
    return has_curve || options.insecure ? "tcp://*:*" : "";
}

/// The address that a client elsewhere can use.
std::string announced(const std::string& bound) {
    auto url = parse_bind_url(bound);
    if (!url || !url->any_host()) return bound;
    url->host = host_name();
    return url->text();
}

}  // namespace

Result<DirectAddress> listen_for_clients(Context& context, const DirectAddressOptions& options,
                                         const std::vector<std::string>& brokers,
                                         const std::optional<CurveClient>& curve) {
    DirectAddress direct;
    const std::string address = bind_address(options, brokers, curve.has_value());
    if (address.empty()) return direct;
    std::optional<CurveServer> server;
    if (curve) server = CurveServer{curve->own, true};
    auto control =
        listen_on(context, Lane::control, {address}, server, options.insecure, direct_bit);
    if (!control) return tl::unexpected(control.error());
    const std::string bound = (*control)->addresses().front();
    auto bulk = listen_on(context, Lane::bulk, {default_bulk_url(address)}, server,
                          options.insecure, direct_bit);
    if (!bulk) return tl::unexpected(bulk.error());
    direct.url = options.announce.empty() ? announced(bound) : options.announce;
    direct.bulk_url = (*bulk)->addresses().front();
    if (curve) direct.key = curve->own.public_key;
    direct.control = std::move(*control);
    direct.bulk = std::move(*bulk);
    log_info("clients may call directly", {{"url", direct.url}});
    return direct;
}

Result<SameHostAddress> listen_within_host() {
    SameHostAddress made;
    const std::string host = this_host();
    if (host.empty()) return made;
    auto links = SameHostLinks::make({});
    if (!links) return tl::unexpected(links.error());
    const std::string socket = socket_name("host");
    if (const auto listening = (*links)->listen(socket); !listening) {
        return tl::unexpected(listening.error());
    }
    made.links = std::move(*links);
    made.address = same_host_address(host, socket);
    log_info("clients on this host may call through shared memory", {{"socket", socket}});
    return made;
}

}  // namespace farm
