#include <algorithm>
#include <utility>

#include "gpu_worker/core/worker_machine.h"
#include "schemas/lease.h"

// Leases that clients present (rule 13): what they bind is on the books of their broker's window.
namespace farm {

void WorkerMachine::on(DirectClient& client, const Lease& lease) {
    const auto key = accept_lease(client, lease);
    if (!key) {
        note(NoteLevel::info,
             "lease of client " + client.name + " refused: " + key.error().message);
        return transmit(client.link, Lease{lease.service, {}});
    }
    client.leases[leases_.find(*key)->service] = *key;
    transmit(client.link, Lease(lease));
}

/// The ledger is here (rule 13): a lease holds only if the window that it comes out of still does.
Result<LeaseKey> WorkerMachine::accept_lease(const DirectClient& client, const Lease& lease) {
    if (lease.grants.size() != 1) return fail(ErrorCode::invalid, "it must have one grant");
    const LeaseGrant& grant = lease.grants.front();
    const auto sealer = std::ranges::find_if(contacts_, [&](const BrokerContact& contact) {
        return contact.lease_key &&
               is_sealed(contact.lease_key, {client.peer, lease.service, grant});
    });
    if (sealer == contacts_.end()) return fail(ErrorCode::invalid, "no broker of ours has made it");
    const auto broker = static_cast<BrokerNumber>(sealer - contacts_.begin());
    if (grant.expires_ms <= milliseconds_of(now_)) return fail(ErrorCode::invalid, "it is over");
    if (draining_) return fail(ErrorCode::invalid, "this worker is leaving");
    const auto named = std::ranges::find_if(services_, [&](const auto& entry) {
        const ServiceAd& ad = entry.second.ad;
        return entry.second.serves() && ad.idempotent &&
               (service_name(ad.model, ad.version) == lease.service ||
                (ad.latest && ad.model == lease.service));
    });
    if (named == services_.end()) return fail(ErrorCode::not_found, "the service is not here");

    HostedService& service = named->second;
    const LeaseKey key{broker, grant.lease};
    const LiveLease* old = leases_.find(key);
    if (old != nullptr && old->returned) return fail(ErrorCode::invalid, "it was given back");
    const Room before = old != nullptr && !old->orphaned ? old->bound() : Room{};
    const Room granted{grant.request_count, grant.device_bytes};
    const bool calls_fit = service.windows.outstanding(broker) - before.calls + granted.calls <=
                           service.windows.allowed(broker);
    const bool bytes_fit =
        bytes_.outstanding(broker) - before.bytes + granted.bytes <= bytes_.allowed(broker);
    if (!calls_fit || !bytes_fit) {
        if (old == nullptr) return_lease(key, client.peer, service.ad);
        return fail(ErrorCode::invalid, "the broker's window has no room for it any more");
    }
    const auto left = std::chrono::milliseconds(grant.expires_ms - milliseconds_of(now_));
    leases_.put(key, named->first, client.peer, granted,
                now_ + std::min<Duration>(left, limits::longest_deadline));
    bind(key, before);
    return key;
}

/// Puts what the lease binds now, instead of `before`, on the books.
void WorkerMachine::bind(const LeaseKey& key, const Room& before) {
    plan_due_ = true;
    const LiveLease& lease = *leases_.find(key);
    if (lease.orphaned) return;  // taken off the capacity instead
    const Room now = lease.bound();
    WindowSplit& windows = services_.at(lease.service).windows;
    windows.add_outstanding(key.broker, now.calls);
    windows.remove_outstanding(key.broker, before.calls);
    bytes_.add_outstanding(key.broker, now.bytes);
    bytes_.remove_outstanding(key.broker, before.bytes);
}

/// From now on what the lease still binds is taken off the capacity: the broker's window does not
/// know of it any more.
void WorkerMachine::orphan(const LeaseKey& key) {
    LiveLease& lease = *leases_.find(key);
    if (std::exchange(lease.orphaned, true)) return;
    services_.at(lease.service).windows.remove_outstanding(key.broker, lease.bound().calls);
    bytes_.remove_outstanding(key.broker, lease.bound().bytes);
    plan_due_ = true;
}

/// After a broker restart leases run to their expiry.
void WorkerMachine::orphan_leases(BrokerNumber broker) {
    for (const LeaseKey& key : leases_.of_broker(broker)) orphan(key);
}

void WorkerMachine::expire_leases() {
    while (const auto key = leases_.pop_due(now_)) {
        LiveLease& lease = *leases_.find(*key);
        lease.returned = false;
        if (DirectClient* client = direct_.by_peer(lease.client)) {
            const auto held = client->leases.find(lease.service);
            if (held != client->leases.end() && held->second == *key) client->leases.erase(held);
            client->last_leased = now_;
        }
        end_lease(*key);
    }
}

/// It takes no new calls; what it is used for still binds the capacity.
void WorkerMachine::end_lease(const LeaseKey& key) {
    orphan(key);
    leases_.find(key)->expired = true;
    leases_.drop_if_over(key);
    plan_due_ = true;
}

/// Else its broker would keep the room until the lease's time is over, while routed calls wait.
void WorkerMachine::return_lease(const LeaseKey& key, PeerId client, const ServiceAd& ad) {
    const BrokerContact& contact = contacts_[key.broker];
    if (!contact.serving()) return;
    LeaseGrant nothing;
    nothing.url = ad.direct_url;
    nothing.lease = key.number;
    const std::string service = service_name(ad.model, ad.version);
    nothing.mac = seal(contact.lease_key, {client, service, nothing});
    transmit(key.broker, Lease{service, {std::move(nothing)}});
}

void WorkerMachine::return_leases(DirectClient& client) {
    for (const auto& [service, key] : std::exchange(client.leases, {})) {
        LiveLease& lease = *leases_.find(key);
        if (!lease.orphaned) return_lease(key, client.peer, services_.at(service).ad);
        // Its broker forgets it, and the client may come again with it.
        lease.returned = leases_.size() < limits::direct_session_count;
        end_lease(key);
    }
}

}  // namespace farm
