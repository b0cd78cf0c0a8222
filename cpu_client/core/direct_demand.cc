#include "cpu_client/core/direct_demand.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr Duration window = 1s;
constexpr Duration answer_patience = 5s;
constexpr Duration first_pause = 1s;
constexpr Duration longest_pause = 30s;
/// A lease is renewed when so much of its time is left; the broker gives ten beats.
constexpr Duration renewal_margin = 5s;
constexpr std::uint16_t most_workers = 16;
constexpr std::uint64_t fewest_bytes = 64 * 1024;

}  // namespace

void DirectDemand::submitted(const Submit& call, TimePoint now) {
    if (use_ == DirectUse::never || !call.idempotent) return;
    Service* service = find(call.service);
    if (service == nullptr) {
        make_room();
        service = &services_[call.service];
        service->second = now;
    }
    turn(*service, now);
    ++service->calls;
    service->bytes += call.input_bytes;
    service->peak = std::max(service->peak, ++service->in_flight);
    service->largest_call = std::max(service->largest_call, call.input_bytes);
    service->largest_result = std::max(service->largest_result, call.max_result_bytes);
    service->any_result = service->any_result || call.max_result_bytes == 0;
    if (wants(*service, now)) look_at_ = now;
}

void DirectDemand::finished(std::string_view name) {
    Service* service = find(name);
    if (service != nullptr && service->in_flight > 0) --service->in_flight;
}

/// Begins a new second when the one that is counted is over.
void DirectDemand::turn(Service& service, TimePoint now) const {
    if (now < service.second + window) return;
    const bool is_next = now < service.second + 2 * window;
    service.was_worth = is_next && is_worth(service);
    service.last_peak = is_next ? service.peak : 0;
    service.peak = service.in_flight;
    service.calls = service.bytes = 0;
    service.second = now;
}

bool DirectDemand::is_worth(const Service& service) const {
    if (use_ == DirectUse::always) return service.calls > 0 || service.in_flight > 0;
    return service.calls >= often_calls || service.bytes >= much_bytes;
}

bool DirectDemand::wants(const Service& service, TimePoint now) const {
    const bool is_recent = now < service.second + 2 * window;
    if (!is_recent || !(service.was_worth || is_worth(service))) return false;
    if (service.waits) return false;
    return now >= service.ask_at || (now >= service.grow_at && has_outgrown(service));
}

/// What was asked for last does not hold what is called now.
bool DirectDemand::has_outgrown(const Service& service) {
    return service.in_flight > service.last.request_count ||
           service.largest_call > service.last.bytes_per_call;
}

std::vector<Resolve> DirectDemand::due(TimePoint now) {
    std::vector<Resolve> asks;
    if (now < look_at_) return asks;
    for (auto& [name, service] : services_) {
        if (service.waits && now >= service.ask_at) service.waits = false;
        if (service.until && now >= *service.until) {
            service.until.reset();
        }
        if (!wants(service, now)) {
            // Nobody uses it: it may run out.
            if (service.until && !service.waits) service.ask_at = *service.until;
            continue;
        }
        Resolve ask;
        ask.service = name;
        // Rounded up, so that a slightly larger call does not need another lease.
        ask.bytes_per_call = std::min<std::uint64_t>(
            limits::call_bytes, std::bit_ceil(std::max(service.largest_call, fewest_bytes)));
        ask.request_count = std::max({1U, service.peak, service.last_peak});
        ask.worker_count =
            static_cast<std::uint16_t>(std::min<std::uint32_t>(ask.request_count, most_workers));
        ask.max_result_bytes = service.any_result ? 0 : service.largest_result;
        service.last = ask;
        service.waits = true;
        service.ask_at = now + answer_patience;
        asks.push_back(std::move(ask));
    }
    plan_look();
    return asks;
}

/// Looks are for answers that do not come and leases that end; what calls want is seen when they
/// are submitted.
void DirectDemand::plan_look() {
    look_at_ = TimePoint::max();
    for (const auto& [name, service] : services_) {
        if (service.waits) look_at_ = std::min(look_at_, service.ask_at);
        if (!service.until || service.waits) continue;
        look_at_ = std::min(look_at_, std::max(*service.until - renewal_margin, service.ask_at));
    }
}

void DirectDemand::leased(std::string_view name, std::uint32_t count, TimePoint until,
                          TimePoint now) {
    Service* service = find(name);
    if (service == nullptr) return;
    service->waits = false;
    if (count == 0) return lost(name, now);
    service->until = until;
    service->pause = Duration{0};
    service->ask_at = now + refresh;
    service->grow_at = now + growth_pause;
    plan_look();
}

void DirectDemand::lost(std::string_view name, TimePoint now) {
    Service* service = find(name);
    if (service == nullptr) return;
    service->waits = false;
    service->until.reset();
    service->pause = std::clamp<Duration>(2 * service->pause, first_pause, longest_pause);
    service->ask_at = now + service->pause;
    service->grow_at = TimePoint::max();
    plan_look();
}

void DirectDemand::forget_asks() {
    for (auto& [name, service] : services_) {
        if (service.waits) service.ask_at = TimePoint{};
        service.waits = false;
    }
    plan_look();
}

const Resolve* DirectDemand::asked(std::string_view name) const {
    const auto found = services_.find(name);
    return found == services_.end() ? nullptr : &found->second.last;
}

DirectDemand::Service* DirectDemand::find(std::string_view name) {
    const auto found = services_.find(name);
    return found == services_.end() ? nullptr : &found->second;
}

void DirectDemand::make_room() {
    if (services_.size() < most_services) return;
    services_.erase(std::ranges::min_element(
        services_, {}, [](const auto& entry) { return entry.second.second; }));
}

}  // namespace farm
