#include "gpu_worker/core/window_split.h"

#include <algorithm>

#include "common/core/expect.h"

namespace farm {

namespace {

/// A broker that acknowledges nothing gets no further changes, so its list stays short.
constexpr std::size_t unacknowledged_count = 16;

}  // namespace

WindowSplit::WindowSplit(std::size_t broker_count, std::uint64_t capacity, std::uint64_t floor)
    : shares_(broker_count) {
    set_capacity(capacity, floor);
}

void WindowSplit::set_capacity(std::uint64_t capacity, std::uint64_t floor) {
    capacity_ = capacity;
    floor_ = std::min(floor, capacity);
}

void WindowSplit::join(std::size_t broker) {
    Share& share = shares_[broker];
    share.joined = true;
    share.demand = 0;
    share.planned = 0;
    share.sent.clear();
}

void WindowSplit::leave(std::size_t broker) {
    join(broker);
    shares_[broker].joined = false;
}

void WindowSplit::add_outstanding(std::size_t broker, std::uint64_t units) {
    shares_[broker].outstanding += units;
}

void WindowSplit::remove_outstanding(std::size_t broker, std::uint64_t units) {
    FARM_EXPECT(shares_[broker].outstanding >= units);
    shares_[broker].outstanding -= units;
}

std::uint64_t WindowSplit::allowed(std::size_t broker) const {
    std::uint64_t most = 0;
    for (const SentWindow& sent : shares_[broker].sent) most = std::max(most, sent.window);
    return most;
}

std::uint64_t WindowSplit::last_sent(const Share& share) const {
    return share.sent.empty() ? 0 : share.sent.back().window;
}

std::uint64_t WindowSplit::commitment(const Share& share) const {
    std::uint64_t most = share.outstanding;
    for (const SentWindow& sent : share.sent) most = std::max(most, sent.window);
    return most;
}

std::uint64_t WindowSplit::committed() const {
    std::uint64_t sum = 0;
    for (const Share& share : shares_) sum += commitment(share);
    return sum;
}

/// The floor for each, and the rest in proportion to demand. A demand of one is added, so that an
/// idle broker gets some of what nobody asks for.
std::vector<std::uint64_t> WindowSplit::targets() const {
    std::uint64_t joined = 0;
    double demand = 0;
    for (const Share& share : shares_) {
        if (!share.joined) continue;
        ++joined;
        demand += static_cast<double>(share.demand) + 1;
    }
    std::vector<std::uint64_t> wanted(shares_.size(), 0);
    const std::uint64_t spare = capacity_ > joined * floor_ ? capacity_ - joined * floor_ : 0;
    std::uint64_t left = spare;
    std::size_t busiest = shares_.size();
    for (std::size_t i = 0; i < shares_.size(); ++i) {
        if (!shares_[i].joined) continue;
        const double part = (static_cast<double>(shares_[i].demand) + 1) / demand;
        const auto units =
            std::min(left, static_cast<std::uint64_t>(static_cast<double>(spare) * part));
        wanted[i] = floor_ + units;
        left -= units;
        if (busiest == shares_.size() || shares_[i].demand > shares_[busiest].demand) busiest = i;
    }
    if (joined > 0) wanted[busiest] += left;  // what rounding left over
    return wanted;
}

void WindowSplit::plan() {
    const std::vector<std::uint64_t> wanted = targets();
    std::uint64_t joined = 0;
    for (const Share& share : shares_) joined += share.joined ? 1 : 0;
    const std::uint64_t bound = capacity_ + (joined > 0 ? joined - 1 : 0) * floor_;
    std::uint64_t sum = committed();
    for (const Share& share : shares_) {  // the floors come first, whoever they belong to
        if (share.joined) sum += std::max(commitment(share), floor_) - commitment(share);
    }
    for (std::size_t i = 0; i < shares_.size(); ++i) {
        Share& share = shares_[i];
        share.planned = last_sent(share);
        if (!share.joined || share.sent.size() >= unacknowledged_count) continue;
        if (wanted[i] <= share.planned) {
            share.planned = wanted[i];  // frees capacity once it is acknowledged
            continue;
        }
        const std::uint64_t bound_by_it = std::max(commitment(share), floor_);
        const std::uint64_t room = bound > sum ? bound - sum : 0;
        share.planned = std::min(wanted[i], bound_by_it + room);
        if (share.planned > bound_by_it) sum += share.planned - bound_by_it;
    }
}

bool WindowSplit::changed(std::size_t broker) const {
    const Share& share = shares_[broker];
    return share.joined && (share.sent.empty() || share.planned != last_sent(share));
}

void WindowSplit::sent(std::size_t broker, std::uint64_t sequence) {
    Share& share = shares_[broker];
    FARM_EXPECT(share.joined && (share.sent.empty() || share.sent.back().sequence <= sequence));
    if (!changed(broker)) return;
    // Before the first CREDIT of a session the broker's window is 0.
    if (share.sent.empty()) share.sent.push_back({0, 0});
    share.sent.push_back({sequence, share.planned});
}

void WindowSplit::acknowledge(std::size_t broker, std::uint64_t sequence) {
    std::deque<SentWindow>& sent = shares_[broker].sent;
    while (sent.size() > 1 && sent[1].sequence <= sequence) sent.pop_front();
}

}  // namespace farm
