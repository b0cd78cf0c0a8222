#include "tests/sim/network.h"

#include <algorithm>

namespace farm::sim {
namespace {

using namespace std::chrono_literals;

}  // namespace

Wire& Network::dial(NodeId dialler, LinkId link, NodeId broker, bool bulk) {
    Wire& wire = wires_.emplace_back();
    wire.dialler = dialler;
    wire.broker = broker;
    wire.bulk = bulk;
    wire.dialler_link = link;
    wire.broker_link = LinkId{next_link_++ | (link.value & (same_host_bit | direct_bit))};
    if (wire.same_host()) {
        dial_same_host(wire);
        return wire;
    }
    const int dialler_life = nodes_[dialler]->incarnation;
    const int broker_life = nodes_[broker]->incarnation;
    const bool reachable = nodes_[broker]->up && !is_partitioned(dialler, broker);
    if (!reachable) return wire;  // as a DEALER does: stays connecting, and nobody says why
    clock_.after(2 * shape.delay + random_.between(Duration{0}, shape.jitter), [=, this, &wire] {
        const bool stale = wire.dialler_closed || nodes_[dialler]->incarnation != dialler_life ||
                           nodes_[broker]->incarnation != broker_life || !nodes_[broker]->up;
        if (stale) return;
        wire.up = true;
        const auto tell = [=, this, &wire](const auto& self) -> void {
            if (wire.dialler_closed || wire.broken_at || !nodes_[dialler]->up) return;
            if (nodes_[dialler]->hung_until > clock_.now()) {
                clock_.at(nodes_[dialler]->hung_until, [=] { self(self); });
                return;
            }
            nodes_[dialler]->opened(wire);
        };
        tell(tell);
    });
    return wire;
}

void Network::dial_same_host(Wire& wire) {
    const bool is_there = nodes_[wire.broker]->up && !random_.chance(shape.hidden);
    wire.up = is_there;
    clock_.after(100us, [this, &wire, life = nodes_[wire.dialler]->incarnation] {
        Node& dialler = *nodes_[wire.dialler];
        if (dialler.incarnation != life || wire.dialler_closed) return;
        wire.up ? dialler.opened(wire) : dialler.broke(wire);
    });
}

void Network::tell_end(Wire& wire, bool dialler_end) {
    const Wire::Lane& lane = dialler_end ? wire.to_dialler : wire.to_broker;
    const NodeId id = dialler_end ? wire.dialler : wire.broker;
    const auto tell = [=, this, &wire, life = nodes_[id]->incarnation](const auto& self) -> void {
        Node& node = *nodes_[id];
        if (!node.up || node.incarnation != life) return;
        if (dialler_end ? wire.dialler_closed : wire.broker_closed) return;
        if (node.hung_until > clock_.now()) {
            clock_.at(node.hung_until, [=] { self(self); });
            return;
        }
        dialler_end ? node.broke(wire) : node.hung_up(wire);
    };
    clock_.at(std::max(lane.last, clock_.now()) + 100us, [=] { tell(tell); });
}

void Network::close_by_broker(Wire& wire) {
    const bool was_open = !wire.broker_closed && wire.up && !wire.broken_at;
    wire.broker_closed = true;
    if (wire.same_host() && was_open) tell_end(wire, true);
}

Network::Sent Network::send_to_broker(Wire& wire, Parcel parcel) {
    if (!wire.up || wire.dialler_closed) return Sent::gone;
    if (wire.broken_at) return Sent::gone;
    if (random_.chance(shape.full_pipe)) return Sent::full;
    if (!wire.broker_closed) put(wire, wire.to_broker, std::move(parcel));
    return Sent::ok;
}

Network::Sent Network::send_to_dialler(Wire& wire, Parcel parcel) {
    if (wire.broker_closed) return Sent::gone;
    if (wire.broken_at) {
        return clock_.now() < *wire.broken_at + wire.broker_notice ? Sent::ok : Sent::gone;
    }
    if (random_.chance(shape.full_pipe)) return Sent::full;
    put(wire, wire.to_dialler, std::move(parcel));
    return Sent::ok;
}

void Network::put(Wire& wire, Wire::Lane& lane, Parcel parcel) {
    const TimePoint due = std::max(
        lane.last, clock_.now() + shape.delay + random_.between(Duration{0}, shape.jitter));
    lane.last = due;
    lane.in_flight.emplace_back(due, std::move(parcel));
    schedule_pump(wire, lane, due);
}

void Network::schedule_pump(Wire& wire, Wire::Lane& lane, TimePoint when) {
    if (lane.pumping) return;
    lane.pumping = true;
    clock_.at(when, [this, &wire, &lane] {
        lane.pumping = false;
        pump(wire, lane);
    });
}

void Network::pump(Wire& wire, Wire::Lane& lane) {
    const bool to_broker = &lane == &wire.to_broker;
    Node& receiver = *nodes_[to_broker ? wire.broker : wire.dialler];
    while (!lane.in_flight.empty()) {
        const TimePoint due = lane.in_flight.front().first;
        if (due > clock_.now()) return schedule_pump(wire, lane, due);
        if (const auto cut = partitions_.find(pair(wire.broker, wire.dialler));
            !wire.same_host() && cut != partitions_.end() && cut->second > clock_.now()) {
            return schedule_pump(wire, lane, std::min(cut->second, clock_.now() + 50ms));
        }
        if (receiver.hung_until > clock_.now()) {
            return schedule_pump(wire, lane, receiver.hung_until);
        }
        const bool deaf = !receiver.up || (to_broker ? wire.broker_closed : wire.dialler_closed);
        if (deaf) return lane.in_flight.clear();
        Parcel parcel = std::move(lane.in_flight.front().second);
        lane.in_flight.pop_front();
        receiver.arrive(wire, std::move(parcel));
    }
}

void Network::close_by_dialler(Wire& wire) {
    if (wire.dialler_closed) return;
    wire.dialler_closed = true;
    wire.to_dialler.in_flight.clear();
    if (!wire.up || wire.broken_at) return;
    // What was sent before still arrives, mostly.
    wire.broken_at = clock_.now();
    if (wire.same_host()) return tell_end(wire, false);
    wire.broker_notice = 2 * shape.delay + random_.between(Duration{0}, shape.jitter);
    if (is_partitioned(wire.dialler, wire.broker)) {
        wire.broker_notice = std::max(wire.broker_notice,
                                      partitions_[pair(wire.dialler, wire.broker)] - clock_.now());
    }
    if (random_.chance(0.2)) wire.to_broker.in_flight.clear();
}

void Network::break_wire(Wire& wire) {
    if (wire.broken_at || !wire.up) return;
    wire.broken_at = clock_.now();
    wire.broker_notice = random_.between(Duration{0}, Duration{20ms});
    for (Wire::Lane* lane : {&wire.to_broker, &wire.to_dialler}) {
        auto& parcels = lane->in_flight;  // a suffix is lost
        parcels.resize(random_.between(0, parcels.size()));
    }
    const auto tell = [this, &wire](const auto& self) -> void {
        Node& dialler = *nodes_[wire.dialler];
        if (wire.dialler_closed || !dialler.up) return;
        if (dialler.hung_until > clock_.now()) {
            clock_.at(dialler.hung_until, [=] { self(self); });
            return;
        }
        dialler.broke(wire);
    };
    clock_.after(random_.between(Duration{1ms}, Duration{30ms}), [=] { tell(tell); });
}

void Network::crash(NodeId node) {
    for (Wire& wire : wires_) {
        if (wire.dialler == node) close_by_dialler(wire);
        if (wire.broker == node && !wire.broken_at) {
            break_wire(wire);
            wire.to_broker.in_flight.clear();
            wire.broker_closed = true;
        }
    }
}

bool Network::is_partitioned(NodeId a, NodeId b) const {
    const auto found = partitions_.find(pair(a, b));
    return found != partitions_.end() && found->second > clock_.now();
}

std::vector<Wire*> Network::live() {
    std::vector<Wire*> found;
    for (Wire& wire : wires_) {
        if (wire.up && !wire.broken_at && !wire.broker_closed) found.push_back(&wire);
    }
    return found;
}

}  // namespace farm::sim
