#include "broker/core/scheduling_policy.h"

#include <cstddef>
#include <random>
#include <string>

namespace farm {
namespace {

using Place = OfferTable::Place;

/// The first from `start` on, around the table, that can take the call.
std::optional<Place> next_from(std::size_t start, const OfferTable& offers, const Demand& demand) {
    for (std::size_t i = 0; i < offers.size(); ++i) {
        const auto place = static_cast<Place>((start + i) % offers.size());
        if (offers.can_take(place, demand)) return place;
    }
    return std::nullopt;
}

class LeastFinish final : public SchedulingPolicy {
  public:
    std::optional<Place> pick(const OfferTable& offers, const Demand& demand) override {
        return offers.least_finish(demand);
    }
    std::string_view name() const override { return "least_finish"; }
};

class RoundRobin final : public SchedulingPolicy {
  public:
    std::optional<Place> pick(const OfferTable& offers, const Demand& demand) override {
        const auto place = next_from(last_ + 1, offers, demand);
        if (place) last_ = *place;
        return place;
    }
    std::string_view name() const override { return "round_robin"; }

  private:
    std::size_t last_{SIZE_MAX};  ///< place served last, of whichever service
};

class Random final : public SchedulingPolicy {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::optional<Place> pick(const OfferTable& offers, const Demand& demand) override {
        if (offers.empty()) return std::nullopt;
        return next_from(engine_() % offers.size(), offers, demand);
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
