// The text of the CUDA twins, run by a loop: what they compute is right in any order of the lanes.
#include <memory>
#include <string>

#include "tests/unit/gpu_worker/tracking/twin/shuffled_execution.h"
#include "tests/unit/gpu_worker/tracking/twin/twin_cases.h"

namespace farm::tracking::twin::testing {

template <unsigned seed>
struct Shuffled {
    using Execution = ShuffledExecution;
    static constexpr std::size_t large = 20'000;

    static std::string why_not() { return {}; }
    static std::unique_ptr<ShuffledExecution> make() {
        return std::make_unique<ShuffledExecution>(seed);
    }
};

struct Threaded {
    using Execution = ThreadedExecution;
    static constexpr std::size_t large = 20'000;

    static std::string why_not() { return {}; }
    static std::unique_ptr<ThreadedExecution> make() {
        return std::make_unique<ThreadedExecution>(3);
    }
};

using Places = ::testing::Types<Shuffled<1>, Shuffled<2>, Threaded>;
INSTANTIATE_TYPED_TEST_SUITE_P(Shuffled, TwinTest, Places);

/// How often the host waits for the device while a finder has an event.
int waits_of_an_event(TrackMethod method, bool has_filter) {
    ShuffledExecution run(1);
    TwinNetworks networks{std::make_unique<SameRows>(), nullptr,
                          std::make_unique<PairLogits<ShuffledExecution>>(run)};
    if (has_filter) networks.filter = std::make_unique<PairLogits<ShuffledExecution>>(run);
    TwinTrackFinder<ShuffledExecution> finder({.radius = {.radius = 0.2F}, .track_method = method},
                                              std::move(networks), run);
    const PointSet points = clustered_points(400, 3, 12, 0.1F, 31);
    EXPECT_TRUE(finder.find(points.view(), {}, KeepEdges::no));
    return run.wait_count();
}

TEST(TwinTrackFinderTest, TheHostWaitsForNumbersOfEdgesAndForTheTracks) {
    for (const auto method :
         {TrackMethod::components, TrackMethod::junction_removal, TrackMethod::walkthrough}) {
        EXPECT_EQ(waits_of_an_event(method, false), 2);
        EXPECT_EQ(waits_of_an_event(method, true), 3);
    }
}

/// The device fails, too, by the time the host waits.
class FailingRows : public TwinEmbedder {
  public:
    explicit FailingRows(PointSet& points) : points_(points) {}
    Result<NetworkOutput> embed(const PointRows&) override {
        points_.values.front() += 1;  // which ShuffledExecution sees
        return fail(ErrorCode::internal, "the network has failed");
    }

  private:
    PointSet& points_;
};

TEST(TwinTrackFinderTest, AFailureOfTheDeviceIsHeardBeforeThatOfANetwork) {
    ShuffledExecution run(1);
    PointSet points = clustered_points(20, 3, 5, 0.1F, 37);
    TwinNetworks networks{std::make_unique<FailingRows>(points), nullptr,
                          std::make_unique<PairLogits<ShuffledExecution>>(run)};
    TwinTrackFinder<ShuffledExecution> finder({}, std::move(networks), run);
    EXPECT_THROW(static_cast<void>(finder.find(points.view(), {}, KeepEdges::no)), DeviceFailure);
}

TEST(TwinTrackFinderTest, AnEventThatFailsLeavesNoCopyUnderWay) {
    ShuffledExecution run(1);
    TwinNetworks networks{std::make_unique<NoColumns>(), nullptr,
                          std::make_unique<PairLogits<ShuffledExecution>>(run)};
    TwinTrackFinder<ShuffledExecution> finder({}, std::move(networks), run);
    const PointSet points = clustered_points(20, 3, 5, 0.1F, 37);
    EXPECT_FALSE(finder.find(points.view(), {}, KeepEdges::no));
    EXPECT_FALSE(run.is_busy());
}

}  // namespace farm::tracking::twin::testing
