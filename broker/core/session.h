#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/core/worker.h"
#include "common/core/clock.h"
#include "common/core/flat_map.h"
#include "schemas/messages.h"

namespace farm {

/// What the key of a connection allows its owner (rule 15: never what a message says).
struct PeerRights {
    std::string tenant{"default"};
    bool client{true};
    bool worker{true};
    bool admin{true};
};

/// One HELLO/WELCOME: attached to a link, or detached after a break and waiting to be resumed.
struct Session {
    SessionId id;
    LinkId link;  ///< none while detached
    Role role{Role::client};
    PeerId peer;
    std::uint64_t epoch{0};
    std::string name;
    PeerRights rights;
    Secret secret;
    bool bulk_attached{false};
    bool draining{false};
    bool closed_in_silence{false};  ///< it was suspect already when its transport closed
    TimePoint last_heard;
    TimePoint last_sent;
    std::unique_ptr<Worker> worker;   ///< of a worker session
    FlatSet<CallId> calls;            ///< open calls of a client session
    std::vector<Answer> undelivered;  ///< came while detached; bounded, see keep_answer()
    std::uint64_t undelivered_bytes{0};

    bool attached() const { return static_cast<bool>(link); }
};

/// All sessions, found by number, by link and by peer. Owned by one BrokerMachine.
class SessionTable {
  public:
    Session& add(LinkId link, PeerId peer);
    Session* find(SessionId id);
    Session* by_link(LinkId link);
    Session* by_peer(PeerId peer);
    /// Moves a session to a new link, or to none.
    void attach(Session& session, LinkId link);
    void remove(SessionId id);

    std::size_t size() const { return sessions_.size(); }
    auto begin() { return sessions_.begin(); }
    auto end() { return sessions_.end(); }
    auto begin() const { return sessions_.begin(); }
    auto end() const { return sessions_.end(); }

  private:
    FlatMap<SessionId, std::unique_ptr<Session>> sessions_;
    FlatMap<LinkId, Session*> by_link_;
    FlatMap<PeerId, Session*> by_peer_;
    std::uint64_t next_{1};
};

}  // namespace farm
