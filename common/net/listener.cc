#include "common/net/listener.h"

#include <utility>

#include "common/core/expect.h"
#include "common/net/url.h"
#include "common/wire/header.h"

namespace farm {

Listener::Listener(std::unique_ptr<Router> control, std::unique_ptr<Router> bulk, Poller& poller)
    : poller_(poller), control_(std::move(control)), bulk_(std::move(bulk)) {
    poller_.watch(*control_);
    poller_.watch(*bulk_);
}

Listener::~Listener() {
    poller_.forget(*control_);
    poller_.forget(*bulk_);
}

std::optional<Listener::Arrival> Listener::receive(Lane lane) {
    auto incoming = (lane == Lane::control ? *control_ : *bulk_).receive();
    if (!incoming) return std::nullopt;
    Arrival arrival{incoming->link, incoming->first, incoming->identity,
                    std::move(incoming->frames)};
    if (lane == Lane::bulk) {
        const auto control = control_of_.find(arrival.link);
        if (control != control_of_.end()) arrival.link = control->second;
    }
    return arrival;
}

SendResult Listener::send(LinkId link, Lane lane, std::span<const Buffer> frames) {
    if (lane == Lane::control) return control_->send(link, frames);
    const auto bulk = bulk_of_.find(link);
    return bulk == bulk_of_.end() ? SendResult::gone : bulk_->send(bulk->second, frames);
}

Lane Listener::lane_of(LinkId link, const Message& message) {
    const Lane lane = is_bulky(message) || !control_->has(link) ? Lane::bulk : Lane::control;
    if (lane == Lane::bulk && !bulk_of_.contains(link) && bulk_->has(link)) bulk_of_[link] = link;
    return lane;
}

void Listener::bind(const BindBulk& effect) {
    bulk_of_[effect.control] = effect.bulk;
    control_of_[effect.bulk] = effect.control;
}

void Listener::close(LinkId link) {
    control_->close(link);
    const auto bulk = bulk_of_.find(link);
    if (bulk == bulk_of_.end()) return;
    bulk_->close(bulk->second);
    control_of_.erase(bulk->second);
    bulk_of_.erase(bulk);
}

Malformed Listener::malformed(LinkId link, const Buffer& header, const Error& error) const {
    const auto version = header_version(header.bytes());
    const bool is_other = version && *version != protocol_version;
    const Router& router = control_->has(link) ? *control_ : *bulk_;
    return {link, is_other ? RefusedReason::protocol_version : RefusedReason::malformed,
            error.message + " (from " + router.peer_address(link) + ")"};
}

Result<std::unique_ptr<Router>> listen_on(Context& context, Lane lane,
                                          const std::vector<std::string>& urls,
                                          const std::optional<CurveServer>& curve, bool insecure,
                                          std::uint64_t link_bits) {
    auto router = Router::make(context, lane, curve, link_bits);
    if (!router) return router;
    for (const std::string& text : urls) {
        const auto url = parse_bind_url(text);
        if (!url) return tl::unexpected(url.error());
        const auto secure = check_bind_security(*url, curve.has_value(), insecure);
        if (!secure) return tl::unexpected(secure.error());
        const auto bound = (*router)->bind(url->text());
        if (!bound) return tl::unexpected(bound.error());
    }
    return router;
}

std::string default_bulk_url(const std::string& control) {
    auto bulk = parse_bind_url(control);
    FARM_EXPECT(bulk.has_value());  // it is listened on
    if (bulk->scheme == Url::Scheme::tcp) {
        if (bulk->port != 0) ++bulk->port;
    } else if (bulk->path != "*") {
        bulk->path += ".bulk";
    }
    return bulk->text();
}

}  // namespace farm
