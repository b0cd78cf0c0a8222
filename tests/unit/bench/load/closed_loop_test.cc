#include "bench/load/closed_loop.h"

#include <gtest/gtest.h>

#include <deque>

namespace farm::bench {
namespace {

/// Answers at once, in the order of the questions or the reverse; counts what is open.
struct FakePath {
    bool reversed{false};
    std::deque<std::size_t> open{};
    std::size_t most_open{0};
    std::uint64_t asked{0};

    Result<Sample> run(const Load& load) {
        return closed_loop(
            load,
            [&](std::size_t slot) -> Result<void> {
                open.push_back(slot);
                most_open = std::max(most_open, open.size());
                ++asked;
                return {};
            },
            [&]() -> Result<std::size_t> {
                const std::size_t slot = reversed ? open.back() : open.front();
                reversed ? open.pop_back() : open.pop_front();
                return slot;
            });
    }
};

TEST(ClosedLoopTest, ExactlyTheCallsAskedFor) {
    for (const bool reversed : {false, true}) {
        for (const std::uint64_t calls : {1U, 7U, 8U, 100U}) {
            FakePath path{reversed};
            const auto sample = path.run({1024, 8, 0, calls});
            ASSERT_TRUE(sample);
            EXPECT_EQ(sample->calls, calls);
            EXPECT_EQ(path.asked, calls);
            EXPECT_TRUE(path.open.empty());
            EXPECT_EQ(path.most_open, std::min<std::uint64_t>(calls, 8));
        }
    }
}

TEST(ClosedLoopTest, WithoutTimeEachSlotIsUsedOnce) {
    FakePath path;
    const auto sample = path.run({1024, 4, 0, 0});
    ASSERT_TRUE(sample);
    EXPECT_EQ(sample->calls, 4U);
    EXPECT_GT(sample->calls_per_s, 0);
    EXPECT_LE(sample->p50_us, sample->p99_us);
}

TEST(ClosedLoopTest, AFailureEndsIt) {
    int taken = 0;
    const auto sample = closed_loop(
        Load{1, 2, 60, 0}, [](std::size_t) { return Result<void>{}; },
        [&]() -> Result<std::size_t> {
            if (++taken == 3) return fail(ErrorCode::io, "gone");
            return 0;
        });
    ASSERT_FALSE(sample);
    EXPECT_EQ(sample.error().message, "gone");
}

TEST(InOrderTest, SlotsTakeTurns) {
    InOrder slots(3);
    std::vector<std::size_t> seen;
    for (int i = 0; i < 7; ++i) seen.push_back(slots.next());
    EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1, 2, 0, 1, 2, 0}));
}

}  // namespace
}  // namespace farm::bench
