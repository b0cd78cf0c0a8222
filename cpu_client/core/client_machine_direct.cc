#include <algorithm>
#include <utility>

#include "common/core/expect.h"
#include "cpu_client/core/client_machine.h"
#include "schemas/same_host.h"

// The direct path: leases from the broker, sessions with workers. Whatever goes wrong here, calls
// go by the broker; only large calls wait for room in a lease, and not for long.
namespace farm {
namespace {

using namespace std::chrono_literals;
using Bulk = BrokerSession::Bulk;
using Phase = DirectSession::Phase;

constexpr Duration unreachable_pause = 60s;
constexpr std::size_t most_sessions = 64;
/// A large call waits for room in a lease while calls under it end; when none has for so long,
/// which is more than the way by the broker costs the largest call, or a part of its time is over,
/// it goes by the broker.
constexpr Duration lease_patience = 1s;
constexpr int patient_share = 4;

/// In the order in which they are tried.
std::vector<DirectWay> ways_of(const LeaseGrant& grant, const std::string& host) {
    std::vector<DirectWay> ways;
    const std::string_view socket = socket_on(host, grant.same_host);
    if (!socket.empty()) ways.push_back({std::string(socket), true});
    if (!grant.url.empty()) ways.push_back({grant.url, false});
    return ways;
}

/// Under which this worker takes such calls, now or when others have ended; null: none.
const HeldLease* usable_lease(const DirectSession& worker, const OpenCall& call, TimePoint now) {
    const auto found = worker.leases.find(call.what.service);
    if (!worker.is_open() || worker.leaving || found == worker.leases.end()) return nullptr;
    const HeldLease& lease = found->second;
    const bool is_avoided = call.avoid && call.avoid == lease.grant.worker;
    if (is_avoided || !lease.is_valid(now)) return nullptr;
    return lease.fits(call.what.input_bytes, call.what.max_result_bytes) ? &lease : nullptr;
}

}  // namespace

DirectSession* ClientMachine::direct_session(LinkId link) {
    const auto found = direct_.find(link);
    return found == direct_.end() ? nullptr : &found->second;
}

// ---- leases -----------------------------------------------------------------------------------

void ClientMachine::resolve(Step& step) {
    if (!may_route()) return;
    for (Resolve& ask : demand_.due(step.now)) {
        ask.host = options_.host;
        transmit(std::move(ask), step);
    }
}

void ClientMachine::learn(const Lease& lease, Step& step) {
    const Resolve* asked = demand_.asked(lease.service);
    if (asked == nullptr) return;
    std::uint32_t count = 0;
    TimePoint until = TimePoint::max();
    for (const LeaseGrant& grant : lease.grants) {
        if (grant.request_count == 0) continue;
        DirectSession* worker = session_for(grant, step);
        if (worker == nullptr || worker->leaving) continue;
        HeldLease& held = worker->leases[lease.service];
        held.grant = grant;
        held.call_bytes = asked->bytes_per_call;
        held.max_result_bytes = asked->max_result_bytes;
        // The worker's clock ran on while the grant travelled.
        const Duration valid = std::chrono::milliseconds(grant.valid_ms);
        held.until = step.now + valid - valid / 20;
        until = std::min(until, held.until);
        worker->leased_until = std::max(worker->leased_until, held.until);
        count += grant.request_count;
        if (worker->is_open()) present(*worker, lease.service, step);
    }
    demand_.leased(lease.service, count, until, step.now);
}

/// The session with this worker, or one that is opened now by its best way; null: there is none.
DirectSession* ClientMachine::session_for(const LeaseGrant& grant, Step& step) {
    const std::vector<DirectWay> ways = ways_of(grant, options_.host);
    for (const DirectWay& way : ways) {
        const auto found = std::ranges::find_if(
            direct_, [&](const auto& entry) { return entry.second.url == way.address; });
        if (found != direct_.end()) return &found->second;
    }
    if (direct_.size() >= most_sessions) return nullptr;
    for (const DirectWay& way : ways) {
        if (!is_unreachable(way.address, step.now)) return &open_direct(way, grant, step);
    }
    return nullptr;
}

DirectSession& ClientMachine::open_direct(const DirectWay& way, const LeaseGrant& grant,
                                          Step& step) {
    const LinkId link{++last_link_ | (way.same_host ? same_host_bit : direct_bit)};
    DirectSession& worker = direct_[link];
    worker.link = link;
    worker.url = way.address;
    worker.until = step.now + options_.back_off.connect_timeout;
    step.out.push_back(OpenDirect{link, way.address, way.same_host ? "" : grant.worker_key});
    return worker;
}

bool ClientMachine::is_unreachable(const std::string& address, TimePoint now) const {
    const auto found = unreachable_.find(address);
    return found != unreachable_.end() && now < found->second;
}

void ClientMachine::note_unreachable(const std::string& address, TimePoint now) {
    if (unreachable_.size() >= most_sessions) unreachable_.erase(unreachable_.begin());
    unreachable_[address] = now + unreachable_pause;
}

void ClientMachine::present(DirectSession& worker, const std::string& service, Step& step) {
    const HeldLease& held = worker.leases.at(service);
    transmit(worker.link, Lease{service, {held.grant}}, step);
}

/// The worker's word: it has the lease on its books, or will not take calls under it.
void ClientMachine::on(DirectSession& worker, const Lease& lease, Step& step) {
    const auto found = worker.leases.find(lease.service);
    if (found == worker.leases.end()) return;
    if (lease.grants.empty()) return drop_lease(worker, lease.service, step.now);
    HeldLease& held = found->second;
    if (lease.grants.front().lease != held.grant.lease) return;
    if (!std::exchange(held.accepted, true)) held.moved = step.now;
}

void ClientMachine::drop_lease(DirectSession& worker, const std::string& service, TimePoint now) {
    demand_.lost(service, now);
    worker.leases.erase(service);  // last: the name may be the lease's own
}

// ---- sessions ---------------------------------------------------------------------------------

void ClientMachine::greet(DirectSession& worker, Step& step) {
    if (worker.phase != Phase::connecting) return;
    worker.phase = Phase::greeting;
    Hello hello;
    hello.role = options_.role;
    hello.peer = options_.peer;
    hello.epoch = options_.epoch;
    hello.name = options_.name;
    transmit(worker.link, std::move(hello), step);
}

void ClientMachine::direct_message(DirectSession& worker, const Message& message, Step& step) {
    worker.heard = step.now;
    if (const auto* welcome = std::get_if<Welcome>(&message)) return on(worker, *welcome, step);
    if (const auto* refused = std::get_if<Refused>(&message)) {
        step.out.push_back(CloseLink{worker.link});
        return lose_direct(worker.link, Ending::closed, "it refused: " + refused->detail, step);
    }
    if (const auto* goodbye = std::get_if<Goodbye>(&message)) {
        step.out.push_back(CloseLink{worker.link});
        return lose_direct(worker.link, Ending::closed, "it said goodbye: " + goodbye->reason,
                           step);
    }
    if (worker.is_open()) {
        if (const auto* lease = std::get_if<Lease>(&message)) return on(worker, *lease, step);
        if (const auto* attach = std::get_if<Attach>(&message)) return on(worker, *attach, step);
        if (const auto* drain = std::get_if<Drain>(&message)) return on(worker, *drain, step);
        if (const auto* grant = std::get_if<Send>(&message)) return on(*grant, step);
        if (const auto* chunk = std::get_if<Chunk>(&message)) return on(*chunk, step);
        if (const auto* started = std::get_if<Started>(&message)) {
            for (const CallKey& key : started->calls) {
                if (worker.uses.contains(key)) worker.started.insert(key);
            }
            return;
        }
    }
    if (const PayloadId payload = payload_of(message)) step.out.push_back(DropPayload{payload});
}

void ClientMachine::on(DirectSession& worker, const Welcome& welcome, Step& step) {
    if (worker.phase != Phase::greeting || welcome.protocol != protocol_version) return;
    worker.phase = Phase::open;
    worker.welcome = welcome;
    worker.welcome.timing = sane(welcome.timing);
    worker.next_beat = step.now + worker.welcome.timing.beat;
    unreachable_.erase(worker.url);
    const std::string where = is_same_host(worker.link) ? "same host " : "";
    step.out.push_back(Note{NoteLevel::info, "calling worker '" + welcome.broker_name +
                                                 "' directly at " + where + worker.url});
    for (const auto& [service, lease] : worker.leases) present(worker, service, step);
}

void ClientMachine::open_bulk(DirectSession& worker, Step& step) {
    if (worker.bulk != Bulk::none) return;
    worker.bulk = Bulk::opening;
    worker.bulk_until = step.now + options_.back_off.connect_timeout;
    step.out.push_back(OpenBulk{worker.link, worker.welcome.bulk_url, worker.welcome.session,
                                worker.welcome.bulk_secret});
}

void ClientMachine::on(DirectSession& worker, const Attach& attach, Step& step) {
    if (worker.bulk != Bulk::opening || attach.session != worker.welcome.session) return;
    worker.bulk = Bulk::attached;
    for (OpenCall& call : calls_.by_age()) {
        if (call.via != worker.link || !call.is_under_way()) continue;
        if (call.download) grant_more(call, step);
        if (call.upload) send_chunks(call, step);
    }
}

void ClientMachine::on(DirectSession& worker, const Drain&, Step& step) {
    worker.leaving = true;
    while (!worker.leases.empty()) drop_lease(worker, worker.leases.begin()->first, step.now);
}

void ClientMachine::tick_direct(Step& step) {
    std::vector<LinkId> links;
    for (const auto& [link, worker] : direct_) links.push_back(link);
    for (const LinkId link : links) tick_direct(direct_.at(link), step);
}

void ClientMachine::tick_direct(DirectSession& worker, Step& step) {
    const auto give_up = [&](const std::string& why) {
        step.out.push_back(CloseLink{worker.link});
        note_unreachable(worker.url, step.now);
        lose_direct(worker.link, Ending::given_up, why, step);
    };
    if (!worker.is_open()) {
        if (step.now >= worker.until) give_up("no answer: going by the broker");
        return;
    }
    if (step.now >= worker.silent_at()) return give_up("silent for too long");
    if (worker.bulk == Bulk::opening && step.now >= worker.bulk_until) {
        return give_up("bulk connection not accepted");
    }
    std::erase_if(worker.leases, [&](const auto& entry) { return entry.second.until <= step.now; });
    // A lease that is asked for anew when it ends needs its session: leaving gives it back.
    const bool is_done =
        worker.leaving || step.now >= worker.leased_until + worker.welcome.timing.beat;
    if (is_done && worker.leases.empty() && worker.uses.empty() && !has_calls_at(worker)) {
        return leave_direct(worker, "no lease is left", step);
    }
    if (step.now < worker.next_beat) return;
    worker.next_beat = step.now + worker.welcome.timing.beat;
    transmit(worker.link, Beat{}, step);
}

bool ClientMachine::has_calls_at(const DirectSession& worker) const {
    return std::ranges::any_of(calls_.by_age(), [&](const OpenCall& call) {
        return call.via == worker.link && call.is_under_way();
    });
}

void ClientMachine::leave_direct(DirectSession& worker, const std::string& reason, Step& step) {
    const LinkId link = worker.link;
    if (worker.is_open()) transmit(link, Goodbye{reason}, step);
    step.out.push_back(CloseLink{link});
    direct_.erase(link);
}

/// Its calls are judged as those of a worker that a broker has lost. A closed connection counts as
/// a death only for calls whose run had begun (rule 7).
void ClientMachine::lose_direct(LinkId link, Ending ending, const std::string& why, Step& step) {
    const auto found = direct_.find(link);
    if (found == direct_.end()) return;
    DirectSession worker = std::move(found->second);
    direct_.erase(found);
    if (is_same_host(link) && !worker.is_open()) return take_other_way(std::move(worker), step);
    step.out.push_back(
        Note{NoteLevel::warning, "direct connection to " + worker.url + " ended: " + why});
    for (const auto& [service, lease] : worker.leases) demand_.lost(service, step.now);
    std::vector<OpenCall*> lost;
    for (OpenCall& call : calls_.by_age()) {
        if (call.via == link && call.is_under_way()) lost.push_back(&call);
    }
    const bool was_silent =
        worker.is_open() && step.now >= worker.heard + worker.welcome.timing.suspect_after();
    const bool may_have_died = ending == Ending::closed && !was_silent;
    for (OpenCall* call : lost) {
        Answer answer;
        answer.key = call->key();
        answer.outcome = Outcome::lost;
        answer.reason = Reason::worker_lost;
        answer.was_running = may_have_died && worker.started.contains(call->key());
        const auto lease = worker.leases.find(call->what.service);
        if (lease != worker.leases.end()) answer.worker = lease->second.grant.worker;
        answer.detail = "the direct connection to " + worker.url + " ended (" + why + ")";
        conclude(*call, answer, step);
    }
}

/// Within this host it cannot be reached: another container, or it has just ended. Its leases are
/// good by its other address, too; it has no calls yet.
void ClientMachine::take_other_way(DirectSession worker, Step& step) {
    note_unreachable(worker.url, step.now);
    step.out.push_back(
        Note{NoteLevel::info, "no worker at same host " + worker.url + ": going another way"});
    for (auto& [service, lease] : worker.leases) {
        if (DirectSession* other = session_for(lease.grant, step)) {
            other->leased_until = std::max(other->leased_until, lease.until);
            other->leases.insert_or_assign(service, std::move(lease));
            if (other->is_open()) present(*other, service, step);
        } else {
            demand_.lost(service, step.now);
        }
    }
}

std::optional<TimePoint> ClientMachine::direct_deadline() const {
    std::optional<TimePoint> next;
    if (may_route()) next = demand_.next_look();
    for (const auto& [link, worker] : direct_) next = earliest(next, worker.next_deadline());
    return next;
}

// ---- calls ------------------------------------------------------------------------------------

/// The worker that should be done with this call first, among those where it may go; null: none.
DirectSession* ClientMachine::direct_way(const OpenCall& call, TimePoint now) {
    DirectSession* best = nullptr;
    if (!call.what.idempotent) return best;
    for (auto& [link, worker] : direct_) {
        const HeldLease* lease = usable_lease(worker, call, now);
        if (lease == nullptr || !lease->has_room()) continue;
        if (best == nullptr || worker.expected_wait() < best->expected_wait()) best = &worker;
    }
    return best;
}

/// Until when a call that no lease has room for now should wait for one; nothing: it should not.
/// Chunks by the broker cost more than the wait until a call that is at the worker ends, and they
/// would wait for the same window.
std::optional<TimePoint> ClientMachine::lease_wait_end(const OpenCall& call, TimePoint now) const {
    if (!call.what.idempotent) return std::nullopt;
    std::optional<TimePoint> end;
    for (const auto& [link, worker] : direct_) {
        const HeldLease* lease = usable_lease(worker, call, now);
        if (lease != nullptr) end = std::max(end, std::optional(lease->moved + lease_patience));
    }
    if (!end) return std::nullopt;
    end = std::min(*end, call.submitted + (call.what.deadline - call.submitted) / patient_share);
    return *end > now ? end : std::nullopt;
}

/// Whatever became of the call, the worker has let go of it.
void ClientMachine::note_answer(DirectSession& worker, Answer& answer, TimePoint now) {
    worker.heard = now;
    worker.started.erase(answer.key);
    const auto use = worker.uses.find(answer.key);
    if (use == worker.uses.end()) return;
    const Duration took = now - use->second.sent_at;
    worker.latency =
        worker.latency == Duration{0} ? took : worker.latency + (took - worker.latency) / 8;
    const auto lease = worker.leases.find(use->second.service);
    if (lease != worker.leases.end()) {
        if (lease->second.in_flight > 0) --lease->second.in_flight;
        lease->second.moved = now;
        answer.worker = lease->second.grant.worker;
    }
    worker.uses.erase(use);
}

}  // namespace farm
