#include "broker/core/scheduling_policy.h"

#include <algorithm>
#include <random>
#include <string>
#include <tuple>

#include "common/core/expect.h"

namespace farm {
namespace {

class LeastFinish final : public SchedulingPolicy {
  public:
    std::size_t pick(std::span<const Candidate> candidates) override {
        const auto best = std::min_element(
            candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
                return std::tie(a.expected_finish, a.outstanding_count, a.worker) <
                       std::tie(b.expected_finish, b.outstanding_count, b.worker);
            });
        return static_cast<std::size_t>(best - candidates.begin());
    }
    std::string_view name() const override { return "least_finish"; }
};

class RoundRobin final : public SchedulingPolicy {
  public:
    std::size_t pick(std::span<const Candidate> candidates) override {
        // The candidate after the last one served, in the order of session numbers.
        std::size_t first = 0;
        std::size_t after = candidates.size();
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (candidates[i].worker < candidates[first].worker) first = i;
            const bool is_later = candidates[i].worker > last_;
            if (is_later &&
                (after == candidates.size() || candidates[i].worker < candidates[after].worker)) {
                after = i;
            }
        }
        const std::size_t chosen = after == candidates.size() ? first : after;
        last_ = candidates[chosen].worker;
        return chosen;
    }
    std::string_view name() const override { return "round_robin"; }

  private:
    SessionId last_;
};

class Random final : public SchedulingPolicy {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::size_t pick(std::span<const Candidate> candidates) override {
        return engine_() % candidates.size();
    }
    std::string_view name() const override { return "random"; }

  private:
    std::mt19937_64 engine_;
};

}  // namespace

Result<std::unique_ptr<SchedulingPolicy>> make_scheduling_policy(std::string_view name,
                                                                 std::uint64_t seed) {
    if (name == "least_finish") return std::make_unique<LeastFinish>();
    if (name == "round_robin") return std::make_unique<RoundRobin>();
    if (name == "random") return std::make_unique<Random>(seed);
    return fail(ErrorCode::invalid, "scheduling policy '" + std::string(name) +
                                        "' is not known: use least_finish, round_robin or random");
}

}  // namespace farm
