#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/clock.h"
#include "cpu_client/core/client_io.h"
#include "schemas/messages.h"

namespace farm {

/// For which services this client should hold leases, and how large.
///
/// A lease reserves a part of a worker and binds calls to it early, so it is asked for only when
/// the way through the broker would cost something: when calls come often (`often_calls` in a
/// second) or carry much (`much_bytes` in a second). While that is so it is asked for anew every
/// `refresh`, so that workers that have joined get their part, and after `growth_pause` where more
/// calls are in flight than it was asked for; then it is left to run out. Counts
/// calls of each service by the second; the rest is the ClientMachine's. Bounded: `most_services`,
/// those that nobody called for longest go first. A value, used by one thread.
class DirectDemand {
  public:
    static constexpr std::uint64_t often_calls = 50;
    static constexpr std::uint64_t much_bytes = 4ULL << 20;
    static constexpr Duration refresh = std::chrono::milliseconds(500);
    static constexpr Duration growth_pause = std::chrono::milliseconds(10);
    static constexpr std::size_t most_services = 1024;

    explicit DirectDemand(DirectUse use) : use_(use) {}

    void submitted(const Submit& call, TimePoint now);
    void finished(std::string_view service);

    /// What to ask the broker now. `lease_until` of a service is told by leased().
    std::vector<Resolve> due(TimePoint now);
    /// When due() may have something, if nobody calls until then.
    std::optional<TimePoint> next_look() const {
        return look_at_ == TimePoint::max() ? std::nullopt : std::optional(look_at_);
    }

    /// The answer to an ask: how many calls all its leases allow (0: none), and until when.
    void leased(std::string_view service, std::uint32_t count, TimePoint until, TimePoint now);
    /// Leases are gone before their time, or an ask got lost with its broker.
    void lost(std::string_view service, TimePoint now);
    /// The broker is another one.
    void forget_asks();
    /// What was asked for last; null when nothing was.
    const Resolve* asked(std::string_view service) const;

  private:
    struct Service {
        TimePoint second;  ///< begin of the one that is counted
        std::uint64_t calls{0};
        std::uint64_t bytes{0};
        bool was_worth{false};  ///< in the second before
        std::uint32_t in_flight{0};
        std::uint32_t peak{0};  ///< of in_flight, in this second and the one before
        std::uint32_t last_peak{0};
        std::uint64_t largest_call{0};
        std::uint64_t largest_result{0};
        bool any_result{false};               ///< some call left its result's size to the signature
        bool waits{false};                    ///< for the answer
        TimePoint ask_at;                     ///< not before
        TimePoint grow_at{TimePoint::max()};  ///< nor, for more calls than the last time, before
        Duration pause{0};                    ///< after a "none"; doubles
        std::optional<TimePoint> until;
        Resolve last;
    };

    void turn(Service& service, TimePoint now) const;
    bool is_worth(const Service& service) const;
    bool wants(const Service& service, TimePoint now) const;
    static bool has_outgrown(const Service& service);
    void plan_look();
    Service* find(std::string_view service);
    void make_room();

    DirectUse use_;
    std::map<std::string, Service, std::less<>> services_;
    TimePoint look_at_{TimePoint::max()};
};

}  // namespace farm
