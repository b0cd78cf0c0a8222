#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/core/worker_machine.h"

namespace farm {

namespace {

using namespace std::chrono_literals;

/// What WELCOME says comes from outside: no beat of nothing, no patience of nothing.
Timing sane(Timing timing) {
    timing.beat = std::clamp<std::chrono::milliseconds>(timing.beat, 1ms, 60s);
    timing.suspect_beats = std::max<std::uint8_t>(timing.suspect_beats, 1);
    timing.lost_beats = std::max<std::uint8_t>(timing.lost_beats, 2);
    return timing;
}

}  // namespace

std::optional<WorkerMachine::BrokerNumber> WorkerMachine::broker_of(LinkId link) const {
    const auto found = std::ranges::find_if(contacts_, [&](const BrokerContact& contact) {
        return contact.state != BrokerContact::State::waiting && contact.link == link;
    });
    if (found == contacts_.end()) return std::nullopt;
    return static_cast<BrokerNumber>(found - contacts_.begin());
}

/// A worker that drains goes back only to brokers that wait for something.
bool WorkerMachine::wants_link(BrokerNumber broker) const {
    if (!draining_ || kept_.has_unfinished(broker)) return true;
    return std::ranges::any_of(calls_.all(),
                               [&](const auto& item) { return item.second->asked_by(broker); });
}

void WorkerMachine::contact_due(BrokerNumber broker) {
    link_due(broker);
    BrokerContact& contact = contacts_[broker];
    // Not between HELLO and WELCOME: what HELLO listed must be there when the answer comes.
    const bool has_said_hello = contact.state == BrokerContact::State::greeting;
    if (contact.forget_at && now_ >= *contact.forget_at && !has_said_hello) forget(broker);
}

void WorkerMachine::link_due(BrokerNumber broker) {
    BrokerContact& contact = contacts_[broker];
    switch (contact.state) {
        case BrokerContact::State::waiting:
            if (now_ >= contact.due && wants_link(broker)) open(broker);
            return;
        case BrokerContact::State::opening:
        case BrokerContact::State::greeting:
            if (now_ >= contact.due) close(broker, "no answer in time");
            return;
        case BrokerContact::State::serving:
            if (now_ >= contact.silent_at()) return close(broker, "it was silent for too long");
            if (now_ < contact.due) return;
            contact.failures = 0;  // a session that ends before its first beat counts as a failure
            contact.due = now_ + contact.timing.beat;
            contact.beat_due = true;
            contact.credit_due = true;
            plan_due_ = true;
            return;
    }
}

void WorkerMachine::open(BrokerNumber broker) {
    BrokerContact& contact = contacts_[broker];
    contact.state = BrokerContact::State::opening;
    contact.link = LinkId{next_link_++};
    contact.due = now_ + std::max(options_.back_off.connect_timeout, 1ms);
    out_->push_back(OpenLink{contact.link, static_cast<std::uint16_t>(broker)});
}

void WorkerMachine::on(const LinkOpened& opened) {
    const auto broker = broker_of(opened.link);
    if (!broker || contacts_[*broker].state != BrokerContact::State::opening) return;
    contacts_[*broker].state = BrokerContact::State::greeting;
    Hello hello;
    hello.role = Role::worker;
    hello.peer = options_.peer;
    hello.epoch = options_.epoch;
    hello.name = options_.name;
    hello.token = options_.token;
    hello.open = open_keys(*broker);
    transmit(*broker, std::move(hello));
}

/// What this worker holds for the broker. A call that is left out (there are too many) goes back
/// into the broker's queue and is answered here as a duplicate.
std::vector<CallKey> WorkerMachine::open_keys(BrokerNumber broker) const {
    std::vector<CallKey> keys = calls_.asked_by(broker);
    for (const CallKey& key : kept_.unacknowledged(broker)) keys.push_back(key);
    if (keys.size() > limits::open_calls_per_session_count) {
        keys.resize(limits::open_calls_per_session_count);
    }
    return keys;
}

void WorkerMachine::on(const LinkLost& lost) {
    if (is_direct(lost.link)) return end_direct(lost.link, "the connection is gone");
    if (const auto broker = broker_of(lost.link)) lose(*broker, "the connection is gone");
}

void WorkerMachine::close(BrokerNumber broker, const std::string& why) {
    out_->push_back(CloseLink{contacts_[broker].link});
    lose(broker, why);
}

void WorkerMachine::lose(BrokerNumber broker, const std::string& why) {
    BrokerContact& contact = contacts_[broker];
    if (contact.serving()) {
        note(NoteLevel::warning, "lost broker " + contact.name + ": " + why);
        end_session(broker);
    } else if (contact.failures == 0) {
        note(NoteLevel::warning, "no session with broker number " + std::to_string(broker + 1) +
                                     " (" + why + "): trying again until it answers");
    }
    contact.state = BrokerContact::State::waiting;
    contact.link = LinkId{};
    contact.due = now_ + pause_.next(contact.failures);
    contact.failures = std::min(contact.failures + 1, 31U);
}

/// The broker keeps the session for as long as it would have waited for a sign of life.
void WorkerMachine::end_session(BrokerNumber broker) {
    BrokerContact& contact = contacts_[broker];
    contact.forget_at = std::max(now_, contact.silent_at());
    contact.bulk_attached = false;
    contact.credit_due = contact.beat_due = false;
    kept_.detach(broker);
    abort_intakes(broker);
    for (auto& [index, service] : services_) {
        service.windows.leave(broker);
        service.queue_depths[broker] = 0;
    }
    bytes_.leave(broker);
    plan_due_ = true;
}

/// The session is over for good: nobody waits at that broker for what is held here.
void WorkerMachine::forget(BrokerNumber broker) {
    contacts_[broker].forget_at.reset();
    contacts_[broker].broker = PeerId{};
    contacts_[broker].lease_key =
        options_.offers_direct_path() ? secrets_.next_id<Secret>() : Secret{};
    orphan_leases(broker);
    kept_.forget(broker);
    for (const CallKey& key : calls_.asked_by(broker)) unask(broker, key);
}

void WorkerMachine::on(BrokerNumber broker, const Welcome& welcome) {
    BrokerContact& contact = contacts_[broker];
    if (contact.state != BrokerContact::State::greeting) return;
    const bool is_twin = std::ranges::any_of(contacts_, [&](const BrokerContact& other) {
        return other.serving() && other.broker == welcome.broker;
    });
    if (is_twin) {
        close(broker, "it is the same broker as another address of the list");
        contact.due = now_ + 60s;
        return;
    }
    if (contact.broker != welcome.broker || contact.broker_epoch != welcome.broker_epoch)
        forget(broker);
    contact.state = BrokerContact::State::serving;
    contact.broker = welcome.broker;
    contact.broker_epoch = welcome.broker_epoch;
    contact.name = welcome.broker_name;
    contact.timing = sane(welcome.timing);
    contact.forget_at.reset();
    contact.due = now_ + contact.timing.beat;
    note(NoteLevel::info, "joined broker " + contact.name);
    take_up(broker, welcome);
}

/// Puts both sides of a new session on the same books.
void WorkerMachine::take_up(BrokerNumber broker, const Welcome& welcome) {
    if (!welcome.bulk_url.empty()) {
        out_->push_back(OpenBulk{contacts_[broker].link, welcome.bulk_url, welcome.session,
                                 welcome.bulk_secret});
    }
    advertise(broker);
    const std::unordered_set<CallKey> known(welcome.known.begin(), welcome.known.end());
    for (const CallKey& key : calls_.asked_by(broker)) {
        if (!known.contains(key)) unask(broker, key);
    }
    answer_what_is_gone(broker, welcome.known);
    for (Answer& answer : kept_.resume(broker, known)) transmit(broker, std::move(answer));
    for (auto& [index, service] : services_) service.windows.join(broker);
    bytes_.join(broker);
    contacts_[broker].credit_due = true;
    plan_due_ = true;
    if (draining_) transmit(broker, Drain{});
}

/// Results that HELLO listed and that had to go (limits, age) before WELCOME came.
void WorkerMachine::answer_what_is_gone(BrokerNumber broker, const std::vector<CallKey>& known) {
    const std::vector<CallKey> kept = kept_.unacknowledged(broker);
    std::unordered_set<CallKey> held(kept.begin(), kept.end());
    for (const CallKey& key : calls_.asked_by(broker)) held.insert(key);
    for (const CallKey& key : known) {
        if (!held.insert(key).second) continue;
        refuse(broker, key, true, {Outcome::lost, Reason::none, "the result is not kept any more"});
    }
}

Advertise WorkerMachine::advertisement(BrokerNumber broker, std::vector<ServiceAd> services) const {
    return {std::move(services), contacts_[broker].lease_key, options_.direct_key,
            options_.same_host};
}

void WorkerMachine::advertise(BrokerNumber broker) {
    Advertise page = advertisement(broker, {});
    std::size_t bytes = 0;
    for (const auto& [index, service] : services_) {
        bytes += wire_bytes_bound(service.ad);
        if (!page.services.empty() &&
            (page.services.size() == limits::page_entry_count || bytes > limits::page_bytes)) {
            transmit(broker, std::exchange(page, advertisement(broker, {})));
            bytes = wire_bytes_bound(service.ad);
        }
        page.services.push_back(service.ad);
    }
    if (!page.services.empty()) transmit(broker, std::move(page));
}

void WorkerMachine::on(BrokerNumber broker, const Refused& refused) {
    const std::string text =
        "refused (" + std::string(to_string(refused.reason)) + "): " + refused.detail;
    if (refused.reason == RefusedReason::old_epoch) {
        note(NoteLevel::error, text + "; this process leaves to the newer one");
        return stop();
    }
    // Every time, not only the first: a person has to act on most of these.
    if (!contacts_[broker].serving()) note(NoteLevel::warning, text);
    close(broker, text);
}

void WorkerMachine::on(BrokerNumber broker, const Attach&) {
    contacts_[broker].bulk_attached = true;
    for (const CallKey& key : calls_.asked_by(broker)) announce_grant(*calls_.find(key));
}

void WorkerMachine::on(BrokerNumber broker, const Goodbye& goodbye) {
    close(broker, "it said goodbye (" + goodbye.reason + ")");
}

void WorkerMachine::on(BrokerNumber broker, const Drain&) {
    drain("broker " + contacts_[broker].name + " said so");
}

}  // namespace farm
