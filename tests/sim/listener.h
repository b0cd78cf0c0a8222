#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tests/sim/network.h"

namespace farm::sim {

/// The listening side of a simulated process, as common/net/listener.h is of a real one: the
/// connections that peers made, and which control and bulk sockets belong together.
class SimListener {
  public:
    explicit SimListener(Network& network) : network_(network) {}

    /// The link under which the machine knows what comes by this wire.
    LinkId link_of(Wire& wire);
    /// Null for a link that is not there (any more).
    Wire* control_wire(LinkId link);
    void bind(const BindBulk& effect);
    void send(LinkId link, const Message& message, std::optional<SimPayload> payload);
    void close(LinkId link);
    /// Links whose sending has failed since the last call; they are closed.
    std::vector<LinkId> take_failed();
    void clear();

  private:
    Network& network_;
    std::map<LinkId, Wire*> wires_;
    std::map<LinkId, LinkId> bulk_of_;
    std::map<LinkId, LinkId> control_of_;
    std::vector<LinkId> failed_;
};

}  // namespace farm::sim
