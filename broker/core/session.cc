#include "broker/core/session.h"

namespace farm {

Session& SessionTable::add(LinkId link, PeerId peer) {
    auto session = std::make_unique<Session>();
    session->id = SessionId{next_++};
    session->peer = peer;
    Session& added = *session;
    by_peer_[peer] = added.id;
    sessions_.emplace(added.id, std::move(session));
    attach(added, link);
    return added;
}

Session* SessionTable::find(SessionId id) {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : found->second.get();
}

Session* SessionTable::by_link(LinkId link) {
    const auto found = by_link_.find(link);
    return found == by_link_.end() ? nullptr : find(found->second);
}

Session* SessionTable::by_peer(PeerId peer) {
    const auto found = by_peer_.find(peer);
    return found == by_peer_.end() ? nullptr : find(found->second);
}

void SessionTable::attach(Session& session, LinkId link) {
    if (session.link) by_link_.erase(session.link);
    session.link = link;
    session.bulk_attached = false;
    if (link) by_link_[link] = session.id;
}

void SessionTable::remove(SessionId id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    const Session& session = *found->second;
    if (session.link) by_link_.erase(session.link);
    const auto peer = by_peer_.find(session.peer);
    if (peer != by_peer_.end() && peer->second == id) by_peer_.erase(peer);
    sessions_.erase(found);
}

}  // namespace farm
