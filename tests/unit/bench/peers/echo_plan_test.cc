#include "bench/peers/echo_plan.h"

#include <gtest/gtest.h>

namespace farm::bench {
namespace {

constexpr std::size_t mb = 1 << 20;

bool large_only(const std::string& path, std::size_t bytes) {
    return path != "chunked" || bytes > mb;
}

TEST(EchoPlanTest, PathsThatAreForASizeShareItsRound) {
    const auto rounds =
        plan_rounds({{"plain", "chunked"}, {1024, 16 * mb}, {1, 8}, 0.5, large_only});
    ASSERT_EQ(rounds.size(), 4U);
    EXPECT_EQ(rounds[1].load, (Load{1024, 8, 0.5}));
    EXPECT_EQ(rounds[1].paths, (std::vector<std::string>{"plain"}));
    EXPECT_EQ(rounds[2].load, (Load{16 * mb, 1, 0.5}));
    EXPECT_EQ(rounds[2].paths, (std::vector<std::string>{"plain", "chunked"}));
}

TEST(EchoPlanTest, LoadsWithTooMuchOpenAreLeftOut) {
    const auto rounds = plan_rounds({{"plain"}, {16 * mb, 100 * mb}, {1, 8, 64}, 1, large_only});
    ASSERT_EQ(rounds.size(), 3U);
    for (const Round& round : rounds) {
        EXPECT_LE(round.load.bytes * static_cast<std::size_t>(round.load.outstanding),
                  most_open_bytes);
    }
}

TEST(EchoPlanTest, NoRoundWithoutPaths) {
    EXPECT_TRUE(plan_rounds({{"chunked"}, {1024}, {1, 8}, 1, large_only}).empty());
}

}  // namespace
}  // namespace farm::bench
