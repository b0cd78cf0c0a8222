#include "bench/peers/echo_goals.h"

#include <fmt/format.h>

namespace farm::bench {
namespace {

constexpr std::size_t kb = 1024;
constexpr std::size_t mb = 1024 * kb;

struct EchoGoal {
    std::string path;
    std::vector<std::string> peers;
    std::size_t bytes;
    int outstanding;
    double Sample::*figure;
    double limit;
};

constexpr auto rate = &Sample::calls_per_s;  // to be at least `limit` times the peer's
constexpr auto p50 = &Sample::p50_us;        // to be at most

std::vector<EchoGoal> all_goals() {
    const std::vector<std::string> raw{"zmq", "zmq_chunked"};
    return {
        {"routed", {"zmq_proxy"}, kb, 8, rate, 0.9},
        {"routed", {"triton"}, kb, 8, rate, 1.8},
        {"routed", {"zmq_proxy"}, kb, 64, rate, 1.2},
        {"routed", {"triton"}, kb, 64, rate, 5.0},
        {"routed", {"zmq_proxy"}, kb, 1, p50, 1.15},
        {"direct", {"zmq"}, kb, 8, rate, 0.9},
        {"direct", {"zmq"}, kb, 64, rate, 0.9},
        {"direct", {"triton"}, kb, 1, p50, 0.55},
        {"direct", {"triton_http"}, kb, 1, p50, 1.0},
        {"direct", raw, mb, 1, rate, 0.9},
        {"direct", raw, mb, 8, rate, 0.9},
        {"direct", raw, 16 * mb, 1, rate, 0.9},
        {"direct", raw, 16 * mb, 8, rate, 0.9},
        {"direct", {"triton"}, mb, 1, p50, 0.35},
        {"direct", {"triton"}, 16 * mb, 1, p50, 0.45},
        {"direct", {"triton"}, mb, 8, rate, 2.0},
        {"direct", {"triton"}, 16 * mb, 8, rate, 2.0},
        {"direct", {"one_frame"}, 100 * mb, 1, rate, 2.5},
        // Like for like: Triton's client writes its question into shared memory once.
        {"same_host_placed", {"triton_shm"}, mb, 8, rate, 1.6},
        {"same_host_placed", {"triton_shm"}, mb, 1, p50, 0.6},
        {"same_host_placed", {"triton_shm"}, 16 * mb, 8, rate, 1.0},
        // A model that only reads needs no second copy; Triton's own way of that stands beside it.
        {"same_host_placed_read", {"triton_shm"}, 16 * mb, 8, rate, 1.5},
        {"same_host_placed_read", {"triton_shm_read"}, 16 * mb, 8, rate, 1.0},
    };
}

/// The peer that is best at this figure; null when none was measured.
const Row* best_peer(const std::vector<Row>& rows, const EchoGoal& goal) {
    const Row* best = nullptr;
    for (const std::string& name : goal.peers) {
        const Row* row = find_row(rows, name, goal.bytes, goal.outstanding);
        if (row == nullptr) continue;
        const auto median = [&](const Row& r) { return r.spread(goal.figure).median; };
        const bool better = best == nullptr || (goal.figure == p50 ? median(*row) < median(*best)
                                                                   : median(*row) > median(*best));
        if (better) best = row;
    }
    return best;
}

}  // namespace

std::vector<GoalResult> echo_goals(const std::vector<Row>& rows) {
    std::vector<GoalResult> results;
    for (const EchoGoal& goal : all_goals()) {
        const Row* row = find_row(rows, goal.path, goal.bytes, goal.outstanding);
        const Row* peer = best_peer(rows, goal);
        const std::string peer_name = peer != nullptr ? peer->path : goal.peers.front();
        GoalResult result{
            {fmt::format("{} / {}, {}, {} open: {}", goal.path, peer_name, bytes_text(goal.bytes),
                         goal.outstanding, goal.figure == p50 ? "p50" : "calls/s"),
             goal.figure == p50 ? Goal::Sense::at_most : Goal::Sense::at_least, goal.limit},
            {}};
        if (row != nullptr && peer != nullptr) {
            result.ratio = ratio_of(row->values(goal.figure), peer->values(goal.figure));
        }
        results.push_back(std::move(result));
    }
    return results;
}

}  // namespace farm::bench
