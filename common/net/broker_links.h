#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/net/context.h"
#include "common/net/curve.h"
#include "common/net/dealer.h"
#include "common/net/poller.h"
#include "schemas/machine.h"

namespace farm {

/// The connections of a worker or a client to its brokers, and of a client to workers that it calls
/// directly: per link a control socket, and a bulk
/// socket once the machine asks for it.
///
/// It decides nothing: it carries out OpenLink, OpenBulk and CloseLink, and tells what happened.
/// Owned by one loop, on its thread; `context` and `poller` outlive it.
class BrokerLinks {
  public:
    struct Handlers {
        std::function<void(LinkOpened)> opened;
        std::function<void(LinkLost)> lost;
        /// The frames of one message, of either socket of the link.
        std::function<void(LinkId, std::vector<Buffer>)> message;
    };

    BrokerLinks(Context& context, Poller& poller, std::vector<std::string> addresses,
                std::optional<CurveClient> curve);
    ~BrokerLinks();
    BrokerLinks(const BrokerLinks&) = delete;
    BrokerLinks& operator=(const BrokerLinks&) = delete;

    void open(const OpenLink& effect);
    /// A link to a worker (direct path); `worker_key` is empty without CURVE.
    void open(LinkId link, const std::string& url, const std::string& worker_key);
    void open_bulk(const OpenBulk& effect);
    void close(LinkId link);

    /// `gone` for a link or socket that is not there (any more).
    SendResult send(LinkId link, Lane lane, std::span<const Buffer> frames);

    /// Tells everything that has happened since the last call, up to `message_limit` messages per
    /// socket. A handler may open and close links.
    void tell(const Handlers& handlers, int message_limit = 256);

  private:
    struct Link {
        std::string url;
        std::optional<CurveClient> curve;
        std::unique_ptr<Dealer> control;
        std::unique_ptr<Dealer> bulk;
        std::optional<Attach> attach;  ///< to be sent when the bulk socket is up
        bool opened{false};
    };

    void connect(LinkId link, const std::string& url, const std::optional<CurveClient>& curve);
    void tell_link(LinkId id, const Handlers& handlers, int message_limit);
    bool tell_state(LinkId id, Link& link, const Handlers& handlers);
    void lose(LinkId id, const Handlers& handlers);

    Context& context_;
    Poller& poller_;
    std::vector<std::string> addresses_;
    std::optional<CurveClient> curve_;
    std::map<LinkId, Link> links_;
    std::vector<LinkId> failed_;   ///< could not even start to connect
    std::vector<LinkId> visited_;  ///< reused by tell()
};

}  // namespace farm
