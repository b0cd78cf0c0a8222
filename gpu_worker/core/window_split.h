#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace farm {

/// How one capacity of a worker (calls of a service, or bytes of the device) is shared between its
/// brokers (rule 14; ARCHITECTURE.md, "Credit").
///
/// A broker's window is an absolute bound on what it may have outstanding here. Windows move by
/// demand, which is what a broker has queued and outstanding. A broker may act on any window since
/// the last one that it acknowledged, so its *commitment* is the largest of those and of what is
/// outstanding. Invariant: a window is raised only while the sum of all commitments stays at most
/// capacity + (joined brokers - 1) x floor; joined brokers always get the floor (one call).
/// A capacity of 0 takes everything back. Brokers are numbered as in the worker's broker list.
/// A value, used by one thread, O(brokers) in size and time.
class WindowSplit {
  public:
    WindowSplit(std::size_t broker_count, std::uint64_t capacity, std::uint64_t floor);

    void set_capacity(std::uint64_t capacity, std::uint64_t floor);
    std::uint64_t capacity() const { return capacity_; }
    /// A session began: no window was sent in it. What is outstanding stays counted.
    void join(std::size_t broker);
    /// The session broke: only what is outstanding still binds capacity.
    void leave(std::size_t broker);
    /// Calls that the broker has queued or outstanding; the unit does not matter, the ratio does.
    void set_demand(std::size_t broker, std::uint64_t calls) { shares_[broker].demand = calls; }

    void add_outstanding(std::size_t broker, std::uint64_t units);
    void remove_outstanding(std::size_t broker, std::uint64_t units);
    std::uint64_t outstanding(std::size_t broker) const { return shares_[broker].outstanding; }
    /// What the broker may have outstanding at most, as far as this side can know.
    std::uint64_t allowed(std::size_t broker) const;

    /// Decides all windows anew; changed() says whose. Nothing binds before sent().
    void plan();
    bool changed(std::size_t broker) const;
    std::uint64_t window(std::size_t broker) const { return shares_[broker].planned; }
    /// The planned window went out to the broker under this credit sequence.
    void sent(std::size_t broker, std::uint64_t sequence);
    void acknowledge(std::size_t broker, std::uint64_t sequence);

    /// Sum of the commitments.
    std::uint64_t committed() const;

  private:
    struct SentWindow {
        std::uint64_t sequence{0};  ///< of the first CREDIT that said so
        std::uint64_t window{0};
    };
    struct Share {
        bool joined{false};
        std::uint64_t demand{0};
        std::uint64_t outstanding{0};
        std::uint64_t planned{0};
        /// Oldest first; the front is the last acknowledged one. Equal neighbours are merged.
        std::deque<SentWindow> sent;
    };

    std::uint64_t last_sent(const Share& share) const;
    std::uint64_t commitment(const Share& share) const;
    std::vector<std::uint64_t> targets() const;

    std::uint64_t capacity_{0};
    std::uint64_t floor_{0};
    std::vector<Share> shares_;
};

}  // namespace farm
