#pragma once

// Bodies of the templates of farm.h.
#include <algorithm>

#include "schemas/chunking.h"
#include "tests/sim/describe.h"
#include "tests/sim/farm.h"

namespace farm::sim {

template <class M, class I, class E>
void Process<M, I, E>::fresh_store() {
    payloads = std::make_unique<SimPayloads>(
        world_.verdict, world_.name(id) + " life " + std::to_string(incarnation));
}

template <class M, class I, class E>
void Process<M, I, E>::crash() {
    if (!up) return;
    world_.log(world_.name(id) + " crashes");
    up = false;
    ++incarnation;
    hung_until = {};
    armed_for_ = {};
    world_.network.crash(id);
    on_crash();
}

template <class M, class I, class E>
void Process<M, I, E>::step(const I& input) {
    if (!up || world_.verdict.failed()) return;
    const int life = incarnation;
    E effects;
    machine->step(input, world_.clock.now(), effects);
    carry_out(effects);
    if (up && life == incarnation) after_step();
    if (up && life == incarnation) arm();
}

template <class M, class I, class E>
void Process<M, I, E>::arm() {
    const auto due = machine->next_deadline();
    if (!due) {
        ++armed_;
        armed_for_ = {};
        return;
    }
    // A loop never wakes up at once: 50 us stand for the poll.
    const TimePoint when = std::max(*due, world_.clock.now() + std::chrono::microseconds(50));
    if (armed_for_ != TimePoint{} && armed_for_ <= when && armed_for_ >= world_.clock.now()) return;
    armed_for_ = when;
    const std::uint64_t ticket = ++armed_;
    world_.clock.at(when, [this, ticket, life = incarnation] {
        if (ticket != armed_ || life != incarnation) return;
        armed_for_ = {};
        poke();
    });
}

template <class M, class I, class E>
void Process<M, I, E>::poke() {
    if (!up) return;
    if (hung_until > world_.clock.now()) {
        const std::uint64_t ticket = ++armed_;
        armed_for_ = hung_until;
        world_.clock.at(hung_until, [this, ticket, life = incarnation] {
            if (ticket != armed_ || life != incarnation) return;
            armed_for_ = {};
            poke();
        });
        return;
    }
    if (++ticks_ > 400'000) {
        world_.verdict.violate("a machine sleeps when nothing is due",
                               world_.name(id) + " wants a Tick again and again");
    }
    step(Tick{});
}

// ---- links ------------------------------------------------------------------------------------

template <class M, class I, class E>
void Dialler<M, I, E>::open(LinkId id, NodeId listener) {
    Link& link = links_[id];
    link.broker = listener;
    link.control = &this->world_.network.dial(this->id, id, listener, false);
}

template <class M, class I, class E>
void Dialler<M, I, E>::open_bulk(const OpenBulk& effect) {
    const auto found = links_.find(effect.link);
    if (found == links_.end()) return;
    found->second.attach = effect;
    found->second.bulk =
        &this->world_.network.dial(this->id, effect.link, found->second.broker, true);
}

template <class M, class I, class E>
void Dialler<M, I, E>::close(LinkId link) {
    const auto found = links_.find(link);
    if (found == links_.end()) return;
    this->world_.network.close_by_dialler(*found->second.control);
    if (found->second.bulk != nullptr) this->world_.network.close_by_dialler(*found->second.bulk);
    links_.erase(found);
}

template <class M, class I, class E>
auto Dialler<M, I, E>::live(const Wire& wire) -> Link* {
    const auto found = links_.find(wire.dialler_link);
    if (found == links_.end()) return nullptr;
    const Link& link = found->second;
    return link.control == &wire || link.bulk == &wire ? &found->second : nullptr;
}

template <class M, class I, class E>
void Dialler<M, I, E>::opened(Wire& wire) {
    Link* link = live(wire);
    if (link == nullptr) return;
    if (!wire.bulk) return this->step(LinkOpened{wire.dialler_link});
    transmit(wire.dialler_link, Attach{link->attach.session, link->attach.secret}, {}, true);
    report_failed();
}

template <class M, class I, class E>
void Dialler<M, I, E>::broke(Wire& wire) {
    if (live(wire) != nullptr) lose(wire.dialler_link);
}

template <class M, class I, class E>
void Dialler<M, I, E>::lose(LinkId link) {
    this->world_.log(this->world_.name(this->id) + " loses link " + std::to_string(link.value));
    close(link);
    this->step(LinkLost{link});
}

template <class M, class I, class E>
Wire* Dialler<M, I, E>::control_wire(LinkId link) {
    const auto found = links_.find(link);
    return found == links_.end() ? nullptr : found->second.control;
}

template <class M, class I, class E>
std::vector<LinkId> Dialler<M, I, E>::links() const {
    std::vector<LinkId> ids;
    for (const auto& [id, link] : links_) ids.push_back(id);
    return ids;
}

template <class M, class I, class E>
void Dialler<M, I, E>::transmit(LinkId id, const Message& message,
                                std::optional<SimPayload> payload, bool bulk) {
    const auto found = links_.find(id);
    Wire* wire = found == links_.end() ? nullptr
                 : bulk                ? found->second.bulk
                                       : found->second.control;
    // A socket that has failed once takes nothing more.
    if (std::find(failed_.begin(), failed_.end(), id) != failed_.end()) return;
    if (wire == nullptr || this->world_.network.send_to_broker(
                               *wire, {message, std::move(payload), false}) != Network::Sent::ok) {
        failed_.push_back(id);
    }
}

template <class M, class I, class E>
void Dialler<M, I, E>::send(const Transmit& effect) {
    if (this->world_.verdict.listening()) {
        this->world_.log(this->world_.name(this->id) + " -> link " +
                         std::to_string(effect.link.value) + ": " + describe(effect.message));
    }
    const PayloadId id = payload_of(effect.message);
    std::optional<SimPayload> payload;
    if (id) {
        payload = this->payloads->get(id, "Transmit");
        const auto* call = std::get_if<Call>(&effect.message);
        const auto* answer = std::get_if<Answer>(&effect.message);
        const bool chunked =
            (call != nullptr && call->chunked) || (answer != nullptr && answer->chunked);
        if (chunked) payload->filled.clear();  // of that only the body travels
    }
    const bool bulk = !is_same_host(effect.link) && is_bulky(effect.message);
    transmit(effect.link, effect.message, std::move(payload), bulk);
    if (effect.release_payload && id) this->payloads->drop(id);
}

template <class M, class I, class E>
void Dialler<M, I, E>::send(const TransmitChunk& effect) {
    const auto found = links_.find(effect.link);
    const auto& brokers = this->world_.broker_ids;
    const bool routed = found != links_.end() && std::ranges::count(brokers, found->second.broker);
    SimPayload piece = this->payloads->cut(effect, routed ? routed_chunking : direct_chunking);
    const Chunk chunk{effect.key, effect.tensor, effect.offset, effect.length, {}};
    if (this->world_.verdict.listening()) {
        this->world_.log(this->world_.name(this->id) + " -> link " +
                         std::to_string(effect.link.value) + ": " + describe(chunk));
    }
    transmit(effect.link, chunk, std::move(piece), true);
}

template <class M, class I, class E>
void Dialler<M, I, E>::report_failed() {
    while (!failed_.empty()) {
        const auto failed = std::exchange(failed_, {});
        for (LinkId link : failed) lose(link);
    }
}

}  // namespace farm::sim
