#include "gpu_worker/core/direct_clients.h"

#include <algorithm>

#include "common/core/expect.h"

namespace farm {

DirectClient& DirectClients::add(LinkId link, PeerId peer) {
    FARM_EXPECT(by_peer_.emplace(peer, link).second);
    DirectClient& session = sessions_[link];
    session.link = link;
    session.id = SessionId{next_++};
    session.peer = peer;
    return session;
}

DirectClient* DirectClients::by_link(LinkId link) {
    const auto found = sessions_.find(link);
    return found == sessions_.end() ? nullptr : &found->second;
}

DirectClient* DirectClients::by_peer(PeerId peer) {
    const auto found = by_peer_.find(peer);
    return found == by_peer_.end() ? nullptr : by_link(found->second);
}

DirectClient* DirectClients::by_id(SessionId id) {
    const auto found =
        std::ranges::find_if(sessions_, [&](const auto& entry) { return entry.second.id == id; });
    return found == sessions_.end() ? nullptr : &found->second;
}

void DirectClients::remove(LinkId link) {
    const auto found = sessions_.find(link);
    if (found == sessions_.end()) return;
    by_peer_.erase(found->second.peer);
    timers_.cancel(link);
    sessions_.erase(found);
}

std::uint64_t DirectClients::streaming_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [link, session] : sessions_) {
        for (const auto& [key, stream] : session.streams) sum += stream.transfer.total_bytes();
    }
    return sum;
}

bool DirectClients::has_streams() const {
    return std::ranges::any_of(sessions_,
                               [](const auto& entry) { return !entry.second.streams.empty(); });
}

}  // namespace farm
