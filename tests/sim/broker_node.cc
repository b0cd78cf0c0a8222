#include <algorithm>
#include <utility>

#include "tests/sim/process.h"

namespace farm::sim {

void BrokerNode::start(bool small_limits) {
    fresh_store();
    up = true;
    finished = false;
    BrokerOptions options;
    options.peer = PeerId::from_words(1, static_cast<std::uint64_t>(id) + 1);
    options.epoch = ++epoch_;
    options.name = world_.name(id);
    options.version = "sim";
    options.bulk_url = "tcp://*:5601";
    options.timing = world_.timing;
    options.back_off = world_.back_off;
    options.drain_timeout = std::chrono::seconds(2);
    options.seed = world_.random.next();
    if (small_limits) {
        options.queued_calls_per_service = 6;
        options.queued_bytes = 3ULL << 20;
    }
    static constexpr const char* policies[] = {"least_finish", "round_robin", "random"};
    auto policy = make_scheduling_policy(policies[world_.random.between(0, 2)], options.seed);
    machine = std::make_unique<BrokerMachine>(options, std::move(*policy), world_.clock.now());
    world_.history.broker_started(id, incarnation);
    world_.log(world_.name(id) + " starts");
    arm();
}

void BrokerNode::on_crash() {
    wires_.clear();
    bulk_of_.clear();
    control_of_.clear();
    failed_.clear();
}

void BrokerNode::arrive(Wire& wire, Parcel parcel) {
    if (!wire.appeared) {
        wire.appeared = true;
        wires_[wire.broker_link] = &wire;
        PeerAppeared appeared;
        appeared.link = wire.broker_link;
        appeared.bulk = wire.bulk;
        appeared.rights.tenant = "tenant" + std::to_string(wire.dialler % 2);
        step(appeared);
        if (!up) return;
    }
    LinkId link = wire.broker_link;
    if (const auto control = control_of_.find(link); control != control_of_.end()) {
        link = control->second;
    }
    if (parcel.garbage) {
        return step(Malformed{link, RefusedReason::malformed, "bytes that are no message"});
    }
    if (parcel.payload) *payload_member(parcel.message) = payloads->add(std::move(*parcel.payload));
    if (!wire.bulk) {
        world_.history.broker_received(id, incarnation, link, wire.dialler, parcel.message);
    }
    step(Received{link, std::move(parcel.message)});
}

void BrokerNode::carry_out(BrokerEffects& effects) {
    for (BrokerEffect& effect : effects) {
        if (auto* transmit = std::get_if<Transmit>(&effect)) {
            send(*transmit);
        } else if (auto* drop = std::get_if<DropPayload>(&effect)) {
            payloads->drop(drop->payload);
        } else if (auto* shut = std::get_if<CloseLink>(&effect)) {
            close(shut->link);
        } else if (auto* bind = std::get_if<BindBulk>(&effect)) {
            bulk_of_[bind->control] = bind->bulk;
            control_of_[bind->bulk] = bind->control;
        } else if (auto* note = std::get_if<Note>(&effect)) {
            if (world_.verdict.listening()) world_.log(world_.name(id) + " note: " + note->text);
        } else {
            finished = true;
        }
    }
    if (finished) crash();  // the process leaves, its sockets close
}

void BrokerNode::send(Transmit& effect) {
    const bool on_bulk = std::holds_alternative<Chunk>(effect.message) ||
                         std::holds_alternative<Attach>(effect.message);
    LinkId link = effect.link;
    if (on_bulk) {
        const auto bulk = bulk_of_.find(effect.link);
        link = bulk == bulk_of_.end() ? LinkId{} : bulk->second;
    }
    const auto found = wires_.find(link);
    if (world_.verdict.listening()) {
        world_.log(world_.name(id) + " -> " +
                   (found == wires_.end() ? "nobody" : world_.name(found->second->dialler)) + ": " +
                   describe(effect.message));
    }
    const PayloadId payload = payload_of(effect.message);
    std::optional<SimPayload> bytes;
    if (payload) bytes = payloads->get(payload, "Transmit");
    if (effect.release_payload && payload) payloads->drop(payload);
    const bool has_failed = std::find(failed_.begin(), failed_.end(), effect.link) != failed_.end();
    if (has_failed) return;
    if (found == wires_.end()) return failed_.push_back(effect.link);
    world_.history.broker_sent(id, incarnation, effect.link, found->second->dialler,
                               effect.message);
    if (PayloadId* member = payload_member(effect.message)) *member = PayloadId{};
    const auto sent =
        world_.network.send_to_dialler(*found->second, {effect.message, std::move(bytes), false});
    if (sent != Network::Sent::ok) failed_.push_back(effect.link);
}

void BrokerNode::close(LinkId control) {
    const auto shut = [&](LinkId link) {
        const auto wire = wires_.find(link);
        if (wire == wires_.end()) return;
        world_.network.close_by_broker(*wire->second);
        wires_.erase(wire);
    };
    shut(control);
    const auto bulk = bulk_of_.find(control);
    if (bulk == bulk_of_.end()) return;
    shut(bulk->second);
    control_of_.erase(bulk->second);
    bulk_of_.erase(bulk);
}

void BrokerNode::after_step() {
    while (up && !failed_.empty()) {
        const auto failed = std::exchange(failed_, {});
        for (LinkId link : failed) {
            close(link);
            step(LinkLost{link});
        }
    }
}

}  // namespace farm::sim
