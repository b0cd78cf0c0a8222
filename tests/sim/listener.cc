#include "tests/sim/listener.h"

#include <algorithm>
#include <utility>

namespace farm::sim {

LinkId SimListener::link_of(Wire& wire) {
    wire.appeared = true;
    wires_[wire.broker_link] = &wire;
    const auto control = control_of_.find(wire.broker_link);
    return control == control_of_.end() ? wire.broker_link : control->second;
}

Wire* SimListener::control_wire(LinkId link) {
    const auto found = wires_.find(link);
    return found == wires_.end() ? nullptr : found->second;
}

void SimListener::bind(const BindBulk& effect) {
    bulk_of_[effect.control] = effect.bulk;
    control_of_[effect.bulk] = effect.control;
}

void SimListener::send(LinkId link, const Message& message, std::optional<SimPayload> payload) {
    const bool on_bulk = !is_same_host(link) && is_bulky(message);
    LinkId by = link;
    if (on_bulk) {
        const auto bulk = bulk_of_.find(link);
        by = bulk == bulk_of_.end() ? LinkId{} : bulk->second;
    }
    const bool has_failed = std::find(failed_.begin(), failed_.end(), link) != failed_.end();
    if (has_failed) return;
    Wire* wire = control_wire(by);
    if (wire == nullptr || network_.send_to_dialler(*wire, {message, std::move(payload), false}) !=
                               Network::Sent::ok) {
        failed_.push_back(link);
    }
}

void SimListener::close(LinkId control) {
    const auto shut = [&](LinkId link) {
        const auto wire = wires_.find(link);
        if (wire == wires_.end()) return;
        network_.close_by_broker(*wire->second);
        wires_.erase(wire);
    };
    shut(control);
    const auto bulk = bulk_of_.find(control);
    if (bulk == bulk_of_.end()) return;
    shut(bulk->second);
    control_of_.erase(bulk->second);
    bulk_of_.erase(bulk);
}

std::vector<LinkId> SimListener::take_failed() {
    auto failed = std::exchange(failed_, {});
    for (const LinkId link : failed) close(link);
    return failed;
}

void SimListener::clear() {
    wires_.clear();
    bulk_of_.clear();
    control_of_.clear();
    failed_.clear();
}

}  // namespace farm::sim
