#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/net/poller.h"
#include "common/net/same_host/same_host_link.h"
#include "schemas/machine.h"

namespace farm {

/// The connections of a process within its host: those that it opens to workers, and, once it
/// listens, those that clients make.
///
/// Only processes of the same user are spoken to. It decides nothing and is used as BrokerLinks
/// and Listener are; numbers of links have the same_host_bit. Owned by one loop, on its thread,
/// whose Poller watches it. Bounds: limits::direct_session_count connections of clients.
class SameHostLinks final : public Pollable {
  public:
    struct Handlers {
        std::function<void(LinkOpened)> opened;
        std::function<void(LinkLost)> lost;
        std::function<void(LinkId, std::vector<Buffer>)> message;
        /// Bytes that break the rules; the link waits to be closed.
        std::function<void(Malformed)> malformed;
    };
    struct Options {
        std::shared_ptr<SharedArena> arena{SharedArena::of_process()};
        /// Of what peers have lent us; see Borrowings.
        std::uint64_t held_bytes_limit{UINT64_MAX};
    };

    /// Errors (io): no descriptor left.
    static Result<std::unique_ptr<SameHostLinks>> make(Options options);
    SameHostLinks(const SameHostLinks&) = delete;
    SameHostLinks& operator=(const SameHostLinks&) = delete;

    /// Takes connections under this name, "@..." (an abstract socket: nothing is left behind).
    /// Errors (io): the name is taken, or no descriptor is left.
    Result<void> listen(const std::string& name);

    /// `link` has the same_host_bit; what comes of it is told by tell().
    void open(LinkId link, const std::string& name);
    void close(LinkId link);
    /// `gone` for a link that is not there (any more); `full` also without memory.
    SendResult send(LinkId link, std::span<const Buffer> frames);

    /// Tells everything that has happened since the last call, up to `message_limit` messages per
    /// link. A handler may open and close links.
    void tell(const Handlers& handlers, int message_limit = 256);

    int poll_fd() const override { return epoll_.get(); }
    bool poll_before_sleep() override { return !fresh_.empty() || !failed_.empty(); }
    void poll_after_sleep(bool fd_readable) override { readable_ = fd_readable; }

  private:
    SameHostLinks(Options options, UniqueFd epoll)
        : options_(std::move(options)), epoll_(std::move(epoll)) {}

    bool add(LinkId link, UniqueFd socket, pid_t peer);
    void accept_all();
    void accept_again();
    void wait_for_room(LinkId id, const SameHostLink& link, bool wanted) const;
    void tell_link(LinkId id, const Handlers& handlers, int message_limit);

    Options options_;
    UniqueFd epoll_;
    UniqueFd listener_;
    bool accepting_{false};  ///< the listener is watched
    TimePoint accept_at_;    ///< while it is not: when to try again
    std::size_t accepted_count_{0};
    std::map<LinkId, SameHostLink> links_;
    std::vector<LinkId> fresh_;   ///< opened by us, not told yet
    std::vector<LinkId> failed_;  ///< not opened, not told yet
    bool readable_{true};
};

}  // namespace farm
