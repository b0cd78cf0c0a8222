#include "common/net/outbox.h"

#include <algorithm>

namespace farm {

bool Outbox::add(LinkId link, Lane lane, const Message& message, const Payload* payload) {
    Slot& slot = slot_for(link, lane);
    const Framing framing = framing_of(link);
    if (slot.failure || slot.writer.try_add(message, payload, framing)) return true;
    if (!slot.writer.empty()) {
        send(slot);
        if (slot.failure || slot.writer.try_add(message, payload, framing)) return true;
    }
    return false;
}

Outbox::Slot& Outbox::slot_for(LinkId link, Lane lane) {
    const auto [index, fresh] = by_link_[static_cast<unsigned>(lane)].try_emplace(link, used_);
    if (!fresh) return slots_[*index];
    if (used_ == slots_.size()) slots_.emplace_back();
    Slot& slot = slots_[used_++];
    slot.link = link;
    slot.lane = lane;
    slot.failure.reset();
    return slot;
}

void Outbox::send(Slot& slot) {
    const auto sent = send_(slot.link, slot.lane, slot.writer.finish());
    slot.writer.clear();
    if (sent == SendResult::full) slot.failure = LinkLost::Cause::no_room;
    if (sent == SendResult::gone) slot.failure = LinkLost::Cause::gone;
}

void Outbox::send_all() {
    for (std::size_t i = 0; i < used_; ++i) {
        Slot& slot = slots_[i];
        if (!slot.writer.empty()) send(slot);
        const bool is_news =
            slot.failure && std::ranges::find(failed_, slot.link, &LinkLost::link) == failed_.end();
        if (is_news) failed_.push_back({slot.link, *slot.failure});
        by_link_[static_cast<unsigned>(slot.lane)].erase(slot.link);
    }
    used_ = 0;
}

void Outbox::flush_link(LinkId link) {
    for (auto& index : by_link_) {
        const std::size_t* const found = index.find(link);
        if (found == nullptr) continue;
        Slot& slot = slots_[*found];
        if (!slot.writer.empty() && !slot.failure) send(slot);
    }
}

}  // namespace farm
