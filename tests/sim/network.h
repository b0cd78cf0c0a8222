#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "schemas/machine.h"
#include "tests/sim/payloads.h"
#include "tests/sim/random.h"
#include "tests/sim/scheduler.h"

namespace farm::sim {

using NodeId = int;

struct Parcel {
    Message message;
    std::optional<SimPayload> payload;
    bool garbage{false};  ///< bytes that are no message of ours
};

struct Wire;

/// A process as the network sees it. A crash makes it `down`; `hung` is SIGSTOP.
class Node {
  public:
    virtual ~Node() = default;
    virtual void arrive(Wire& wire, Parcel parcel) = 0;
    virtual void opened(Wire&) {}
    /// The transport told a dialler that this connection is gone.
    virtual void broke(Wire&) {}
    /// Within a host the listening side learns of it as well.
    virtual void hung_up(Wire&) {}

    NodeId id{0};
    bool up{false};
    int incarnation{0};
    TimePoint hung_until{};
};

/// One connection: a DEALER socket at one end, a ROUTER peer at the other.
struct Wire {
    struct Lane {
        std::deque<std::pair<TimePoint, Parcel>> in_flight;
        TimePoint last{};
        bool pumping{false};
    };
    NodeId dialler{0};
    NodeId broker{0};
    bool bulk{false};
    LinkId dialler_link;  ///< both sockets of a dialler's link have the same
    LinkId broker_link;   ///< every socket has its own
    bool up{false};
    bool appeared{false};  ///< the broker has seen it
    bool dialler_closed{false};
    bool broker_closed{false};  ///< a ROUTER cannot hang up: it only stops listening to that peer
    std::optional<TimePoint> broken_at;
    Duration broker_notice{0};  ///< after this the broker's sends fail
    Lane to_broker;
    Lane to_dialler;

    /// A Unix socket: no partition parts it, and both ends learn at once when the other is gone.
    bool same_host() const { return is_same_host(dialler_link); }
};

struct NetworkShape {
    Duration delay{std::chrono::microseconds(200)};
    Duration jitter{std::chrono::microseconds(300)};
    double full_pipe{0.0};  ///< chance that a send finds the pipe full
    double hidden{0.0};     ///< chance that a socket of this host is in another container
};

/// Connections with delay, breaks, partitions and full pipes; order is kept within a connection.
/// It behaves as the rims on libzmq do: a broker learns of a closed peer from a send that fails, a
/// dialler soon after the break; what was in flight at a break is lost.
class Network {
  public:
    enum class Sent : std::uint8_t { ok, gone, full };

    Network(Scheduler& clock, Random& random, std::vector<Node*>& nodes)
        : clock_(clock), random_(random), nodes_(nodes) {}

    NetworkShape shape;

    Wire& dial(NodeId dialler, LinkId link, NodeId broker, bool bulk);
    Sent send_to_broker(Wire& wire, Parcel parcel);
    Sent send_to_dialler(Wire& wire, Parcel parcel);
    void close_by_dialler(Wire& wire);
    void close_by_broker(Wire& wire);
    void break_wire(Wire& wire);
    /// The process is gone, and so are its connections.
    void crash(NodeId node);

    void partition(NodeId a, NodeId b, TimePoint until) { partitions_[pair(a, b)] = until; }
    bool is_partitioned(NodeId a, NodeId b) const;
    void heal() { partitions_.clear(); }
    /// All wires that are up and not broken.
    std::vector<Wire*> live();

  private:
    static std::pair<NodeId, NodeId> pair(NodeId a, NodeId b) {
        return a < b ? std::pair(a, b) : std::pair(b, a);
    }
    void dial_same_host(Wire& wire);
    /// Tells one end that the other is gone, after what was on its way.
    void tell_end(Wire& wire, bool dialler_end);
    void put(Wire& wire, Wire::Lane& lane, Parcel parcel);
    void pump(Wire& wire, Wire::Lane& lane);
    void schedule_pump(Wire& wire, Wire::Lane& lane, TimePoint when);

    Scheduler& clock_;
    Random& random_;
    std::vector<Node*>& nodes_;
    std::deque<Wire> wires_;
    std::map<std::pair<NodeId, NodeId>, TimePoint> partitions_;
    std::uint64_t next_link_{first_listener_link};
};

}  // namespace farm::sim
