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

void BrokerNode::on_crash() { listener_.clear(); }

void BrokerNode::arrive(Wire& wire, Parcel parcel) {
    const bool is_new = !wire.appeared;
    const LinkId link = listener_.link_of(wire);
    if (is_new) {
        PeerAppeared appeared;
        appeared.link = link;
        appeared.bulk = wire.bulk;
        appeared.rights.tenant = "tenant" + std::to_string(wire.dialler % 2);
        step(appeared);
        if (!up) return;
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
            listener_.close(shut->link);
        } else if (auto* bind = std::get_if<BindBulk>(&effect)) {
            listener_.bind(*bind);
        } else if (auto* note = std::get_if<Note>(&effect)) {
            if (world_.verdict.listening()) world_.log(world_.name(id) + " note: " + note->text);
        } else {
            finished = true;
        }
    }
    if (finished) crash();  // the process leaves, its sockets close
}

void BrokerNode::send(Transmit& effect) {
    const Wire* wire = listener_.control_wire(effect.link);
    if (world_.verdict.listening()) {
        world_.log(world_.name(id) + " -> " +
                   (wire == nullptr ? "nobody" : world_.name(wire->dialler)) + ": " +
                   describe(effect.message));
    }
    const PayloadId payload = payload_of(effect.message);
    std::optional<SimPayload> bytes;
    if (payload) bytes = payloads->get(payload, "Transmit");
    if (effect.release_payload && payload) payloads->drop(payload);
    if (wire != nullptr) {
        world_.history.broker_sent(id, incarnation, effect.link, wire->dialler, effect.message);
    }
    if (PayloadId* member = payload_member(effect.message)) *member = PayloadId{};
    listener_.send(effect.link, effect.message, std::move(bytes));
}

void BrokerNode::after_step() {
    for (auto failed = listener_.take_failed(); up && !failed.empty();
         failed = listener_.take_failed()) {
        for (const LinkId link : failed) step(LinkLost{link});
    }
}

}  // namespace farm::sim
