#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include "broker/core/broker_machine.h"
#include "schemas/lease.h"
#include "schemas/same_host.h"

namespace farm {
namespace {

/// How long a lease holds, in beats: long enough that renewing costs nothing, short enough that
/// what an idle client reserves comes back soon.
constexpr int lease_beats = 10;
/// How long room is kept free for a lease that is not whole yet: less than a client waits for the
/// answer to RESOLVE.
constexpr Duration promise_time = std::chrono::seconds(3);

std::uint64_t rest(std::uint64_t whole, std::uint64_t part) {
    return whole > part ? whole - part : 0;
}

std::uint64_t lease_of(const Worker& worker, PeerId client, ServiceIndex service) {
    for (const auto& [number, lease] : worker.leases) {
        if (lease.client == client && lease.service == service) return number;
    }
    return 0;
}

}  // namespace

/// A client that calls often or much gets parts of workers' windows to use without this broker.
void BrokerMachine::resolve(Session& session, const Resolve& message) {
    Lease answer{message.service, {}};
    const auto found = services_.find(message.service);
    if (found != services_.end() && !draining_) {
        const Service& service = found->second;
        std::vector<Offer> offers = leasable_offers(service, session, message.host);
        if (offers.size() > message.worker_count) offers.resize(message.worker_count);
        for (const Offer& offer : offers) withdraw_promise(offer, session);
        std::uint32_t left = message.request_count;
        for (std::size_t i = 0; i < offers.size() && left > 0; ++i) {
            const auto sharing = static_cast<std::uint32_t>(offers.size() - i);
            const std::uint32_t share = left / sharing + (left % sharing != 0 ? 1 : 0);
            if (auto lease = grant(session, service, offers[i], message, share)) {
                // What a renewed lease has beyond its share is not taken from a newcomer.
                left -= std::min({left, share, lease->request_count});
                answer.grants.push_back(*std::move(lease));
            }
        }
        if (answer.grants.empty() && promise(session, service, offers, message)) return;
    }
    transmit(session, std::move(answer));
}

/// Who could take direct calls of this client: first those where it has a lease, then the least
/// busy, and of these first those on its host.
std::vector<Offer> BrokerMachine::leasable_offers(const Service& service, const Session& client,
                                                  const std::string& host) const {
    using Rank = std::tuple<bool, Duration, bool, SessionId>;
    std::vector<std::pair<Rank, Offer>> ranked;
    const OfferTable* table = service.table();
    if (table == nullptr) return {};
    for (const Offer& offer : table->offers()) {
        const Session& session = *offer.owner;
        const WorkerService& ws = *offer.service;
        const bool is_meant = service.versions.empty() || ws.by_model == &service;
        const bool is_well = session.worker->open && ws.ejection == Duration{0} &&
                             now_ < session.last_heard + options_.timing.suspect_after();
        const bool is_elsewhere = socket_on(host, session.worker->same_host).empty();
        const bool has_way = ws.ad->idempotent && !(is_elsewhere && ws.direct_url.empty());
        if (!is_meant || !is_well || !has_way || !session.worker->lease_key) continue;
        const bool is_new = lease_of(*session.worker, client.peer, ws.index) == 0;
        ranked.push_back({{is_new, session.worker->backlog(), is_elsewhere, session.id}, offer});
    }
    std::ranges::sort(ranked, {}, [](const auto& entry) { return entry.first; });
    std::vector<Offer> offers;
    for (const auto& [rank, offer] : ranked) offers.push_back(offer);
    return offers;
}

/// Its client is gone, or did not get it: what it reserved is free before its time.
void BrokerMachine::lease_returned(Session& session, const Lease& message) {
    Worker& worker = *session.worker;
    for (const LeaseGrant& grant : message.grants) {
        if (grant.request_count == 0) worker.remove_lease(grant.lease);
    }
    worker.changed(now_);
    serve_worker(session);
}

std::optional<LeaseGrant> BrokerMachine::grant(const Session& client, const Service& service,
                                               const Offer& offer, const Resolve& message,
                                               std::uint32_t wanted_count) {
    Worker& worker = *offer.owner->worker;
    worker.expire_leases(now_);
    std::uint64_t number = lease_of(worker, client.peer, offer.service->index);
    const GrantedLease old = number != 0 ? worker.leases.at(number) : GrantedLease{};
    const GrantedLease lease = lease_terms(
        offer, message, std::max(wanted_count, old.request_count), old,
        {service.queue.size(), offer.service->outstanding_count, worker.outstanding_bytes});
    if (lease.request_count == 0 || lease.request_count < old.request_count) return std::nullopt;
    if (number == 0) number = next_lease_++;
    return seal_lease(client, *offer.owner, message, number, lease);
}

/// What is free of the window is shared out, but for what waits in the queue; and one call of the
/// window is never leased: a routed call must not wait for a lease to end. A lease is renewed as
/// large as it was or larger: the worker has it on its books until it has seen the new terms, which
/// may never come.
GrantedLease BrokerMachine::lease_terms(const Offer& offer, const Resolve& message,
                                        std::uint32_t wanted_count, const GrantedLease& old,
                                        const RoutedUse& routed) {
    const Worker& worker = *offer.owner->worker;
    const WorkerService& ws = *offer.service;
    const std::uint64_t result_bytes =
        message.max_result_bytes != 0 ? message.max_result_bytes : ws.ad->max_result_bytes;
    const std::uint64_t call_bytes =
        std::max<std::uint64_t>(1, message.bytes_per_call + result_bytes);
    const std::uint64_t leased_count = ws.leased_count - old.request_count;
    const std::uint64_t leased_bytes = worker.leased_bytes - old.device_bytes;
    const std::uint64_t free_count =
        rest(ws.window_count,
             leased_count + std::max<std::uint64_t>(1, routed.running_count + routed.queued_count));
    const std::uint64_t free_bytes =
        rest(worker.window_bytes, leased_bytes + std::max(call_bytes, routed.running_bytes));
    GrantedLease lease;
    lease.service = ws.index;
    lease.request_count = static_cast<std::uint32_t>(
        std::min({std::uint64_t{wanted_count}, free_count, free_bytes / call_bytes}));
    lease.device_bytes = std::max(lease.request_count * call_bytes, old.device_bytes);
    return lease;
}

/// A client whose own calls fill the window would never get a lease: as one ends, its next takes
/// the place. So room for the lease is taken now, and the answer waits until enough calls have
/// ended; those of others that wait in the queue come first as ever.
bool BrokerMachine::promise(const Session& client, const Service& service,
                            std::span<const Offer> offers, const Resolve& message) {
    for (const Offer& offer : offers) {
        Worker& worker = *offer.owner->worker;
        if (lease_of(worker, client.peer, offer.service->index) != 0) continue;
        GrantedLease lease = lease_terms(offer, message, message.request_count, {},
                                         use_by_others(client, service, offer));
        if (lease.request_count == 0) continue;
        lease.client = client.peer;
        lease.until = now_ + promise_time;
        worker.add_lease(next_lease_, lease);
        worker.promises.push_back({next_lease_++, client.id, message});
        worker.changed(now_);
        return true;
    }
    return false;
}

/// Answers the asks whose room has come, and those whose time is over.
void BrokerMachine::keep_promises(Session& session) {
    Worker& worker = *session.worker;
    if (worker.promises.empty()) return;
    worker.expire_leases(now_);
    for (LeasePromise& promise : std::exchange(worker.promises, {})) {
        Session* const client = sessions_.find(promise.client);
        const GrantedLease* const lease = worker.leases.find(promise.lease);
        const bool is_wanted = client != nullptr && lease != nullptr;
        if (is_wanted && !(worker.open && worker.holds_leases_of(lease->service))) {
            worker.promises.push_back(std::move(promise));
            continue;
        }
        Lease answer{promise.ask.service, {}};
        if (is_wanted) {
            answer.grants.push_back(
                seal_lease(*client, session, promise.ask, promise.lease, GrantedLease(*lease)));
        } else {
            worker.remove_lease(promise.lease);
            worker.changed(now_);
        }
        if (client != nullptr) transmit(*client, std::move(answer));
    }
}

/// Its client asks anew.
void BrokerMachine::withdraw_promise(const Offer& offer, const Session& client) {
    Worker& worker = *offer.owner->worker;
    const std::uint64_t number = lease_of(worker, client.peer, offer.service->index);
    const auto is_promise = [&](const LeasePromise& promise) { return promise.lease == number; };
    if (std::erase_if(worker.promises, is_promise) > 0) worker.remove_lease(number);
}

/// What calls that this client does not make take of the offer, or will.
BrokerMachine::RoutedUse BrokerMachine::use_by_others(const Session& client, const Service& service,
                                                      const Offer& offer) {
    RoutedUse use{service.queue.size(), offer.service->outstanding_count,
                  offer.owner->worker->outstanding_bytes};
    for (const auto& [id, unused] : client.calls) {
        const RoutedCall& call = calls_.at(id);
        if (call.service == &service) --use.queued_count;
        const Outstanding* running = offer.owner->worker->outstanding.find(call.key);
        if (running == nullptr || running->service != offer.service->index) continue;
        --use.running_count;
        use.running_bytes -= running->reserved_bytes;
    }
    return use;
}

/// Puts it on the books and tells it.
LeaseGrant BrokerMachine::seal_lease(const Session& client, const Session& owner,
                                     const Resolve& message, std::uint64_t number,
                                     GrantedLease lease) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    Worker& worker = *owner.worker;
    const WorkerService& ws = *worker.find(lease.service);
    const Duration valid = lease_beats * options_.timing.beat;
    lease.client = client.peer;
    lease.until = now_ + valid;
    worker.add_lease(number, lease);
    worker.changed(now_);

    LeaseGrant grant;
    grant.url = ws.direct_url;
    grant.worker_key = worker.worker_key;
    if (!socket_on(message.host, worker.same_host).empty()) grant.same_host = worker.same_host;
    grant.lease = number;
    grant.request_count = lease.request_count;
    grant.device_bytes = lease.device_bytes;
    grant.valid_ms = static_cast<std::uint32_t>(duration_cast<milliseconds>(valid).count());
    const auto since = duration_cast<milliseconds>(now_ - worker.clock_read_at).count();
    grant.expires_ms = worker.clock_ms + static_cast<std::uint64_t>(since) + grant.valid_ms;
    grant.tenant = client.rights.tenant;
    grant.worker = owner.id;
    grant.mac = seal(worker.lease_key, {client.peer, message.service, grant});
    return grant;
}

}  // namespace farm
