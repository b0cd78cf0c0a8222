#include "broker/core/session.h"

#include <utility>

namespace farm {
namespace {

Session* found_in(auto& index, const auto& key) {
    Session** const found = index.find(key);
    return found == nullptr ? nullptr : *found;
}

}  // namespace

Session& SessionTable::add(LinkId link, PeerId peer) {
    auto session = std::make_unique<Session>();
    session->id = SessionId{next_++};
    session->peer = peer;
    Session& added = *session;
    by_peer_[peer] = &added;
    sessions_.try_emplace(added.id, std::move(session));
    attach(added, link);
    return added;
}

Session* SessionTable::find(SessionId id) {
    const auto* found = sessions_.find(id);
    return found == nullptr ? nullptr : found->get();
}

Session* SessionTable::by_link(LinkId link) { return found_in(by_link_, link); }

Session* SessionTable::by_peer(PeerId peer) { return found_in(by_peer_, peer); }

void SessionTable::attach(Session& session, LinkId link) {
    if (session.link) by_link_.erase(session.link);
    session.link = link;
    session.bulk_attached = false;
    if (link) by_link_[link] = &session;
}

void SessionTable::remove(SessionId id) {
    Session* const session = find(id);
    if (session == nullptr) return;
    if (session->link) by_link_.erase(session->link);
    if (by_peer(session->peer) == session) by_peer_.erase(session->peer);
    sessions_.erase(id);
}

}  // namespace farm
