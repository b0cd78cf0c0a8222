#include "common/net/broker_links.h"

#include <utility>

#include "common/core/expect.h"
#include "common/net/url.h"
#include "common/wire/envelope.h"

namespace farm {

BrokerLinks::BrokerLinks(Context& context, Poller& poller, std::vector<std::string> addresses,
                         std::optional<CurveClient> curve)
    : context_(context),
      poller_(poller),
      addresses_(std::move(addresses)),
      curve_(std::move(curve)) {}

BrokerLinks::~BrokerLinks() {
    while (!links_.empty()) close(links_.begin()->first);
}

void BrokerLinks::open(const OpenLink& effect) {
    FARM_EXPECT(effect.address < addresses_.size());
    connect(effect.link, addresses_[effect.address], curve_);
}

void BrokerLinks::open(LinkId link, const std::string& url, const std::string& worker_key) {
    // Both or neither: nobody is made to speak in the clear, and no key can be made up.
    if (worker_key.empty() != !curve_) return failed_.push_back(link);
    std::optional<CurveClient> curve;
    if (curve_) curve = CurveClient{curve_->own, worker_key};
    connect(link, url, curve);
}

void BrokerLinks::connect(LinkId id, const std::string& url,
                          const std::optional<CurveClient>& curve) {
    auto dealer = Dealer::connect(context_, Lane::control, url, curve);
    if (!dealer) return failed_.push_back(id);
    poller_.watch(**dealer);
    Link& link = links_[id];
    link.url = url;
    link.curve = curve;
    link.control = std::move(*dealer);
}

void BrokerLinks::open_bulk(const OpenBulk& effect) {
    const auto found = links_.find(effect.link);
    if (found == links_.end()) return;
    Link& link = found->second;
    auto dealer =
        Dealer::connect(context_, Lane::bulk, reachable_url(effect.url, link.url), link.curve);
    if (!dealer) {
        failed_.push_back(effect.link);
        return;
    }
    if (link.bulk) poller_.forget(*link.bulk);
    poller_.watch(**dealer);
    link.bulk = std::move(*dealer);
    link.attach = Attach{effect.session, effect.secret};
}

void BrokerLinks::close(LinkId id) {
    const auto found = links_.find(id);
    if (found == links_.end()) return;
    poller_.forget(*found->second.control);
    if (found->second.bulk) poller_.forget(*found->second.bulk);
    links_.erase(found);
}

SendResult BrokerLinks::send(LinkId id, Lane lane, std::span<const Buffer> frames) {
    const auto found = links_.find(id);
    if (found == links_.end()) return SendResult::gone;
    Dealer* socket = lane == Lane::control ? found->second.control.get() : found->second.bulk.get();
    return socket == nullptr ? SendResult::gone : socket->send(frames);
}

void BrokerLinks::tell(const Handlers& handlers, int message_limit) {
    for (LinkId link : std::exchange(failed_, {})) lose(link, handlers);
    visited_.clear();
    for (const auto& [id, link] : links_) visited_.push_back(id);
    for (LinkId id : visited_) tell_link(id, handlers, message_limit);
}

void BrokerLinks::tell_link(LinkId id, const Handlers& handlers, int message_limit) {
    for (int i = 0; i < message_limit; ++i) {
        bool received = false;
        for (const Lane lane : {Lane::control, Lane::bulk}) {
            const auto found = links_.find(id);  // a handler may have closed it
            if (found == links_.end()) return;
            if (i == 0 && lane == Lane::control && !tell_state(id, found->second, handlers)) return;
            Dealer* socket =
                lane == Lane::control ? found->second.control.get() : found->second.bulk.get();
            if (socket == nullptr) continue;
            auto frames = socket->receive();
            if (!frames) continue;
            received = true;
            handlers.message(id, std::move(*frames));
        }
        if (!received) return;
    }
}

bool BrokerLinks::tell_state(LinkId id, Link& link, const Handlers& handlers) {
    const Dealer::State control = link.control->state();
    const Dealer::State bulk = link.bulk ? link.bulk->state() : Dealer::State::connecting;
    if (control == Dealer::State::lost || bulk == Dealer::State::lost) {
        lose(id, handlers);
        return false;
    }
    if (bulk == Dealer::State::up && link.attach) {
        EnvelopeWriter writer;
        FARM_ENSURE(writer.try_add(*std::exchange(link.attach, {}), nullptr));
        if (link.bulk->send(writer.finish()) != SendResult::sent) {
            lose(id, handlers);
            return false;
        }
    }
    if (control == Dealer::State::up && !link.opened) {
        link.opened = true;
        handlers.opened(LinkOpened{id});
        return links_.contains(id);
    }
    return true;
}

void BrokerLinks::lose(LinkId id, const Handlers& handlers) {
    close(id);
    handlers.lost(LinkLost{id});
}

}  // namespace farm
