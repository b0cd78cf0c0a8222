#include "cpu_client/events/random_stream.h"

#include <cmath>

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(RandomStreamTest, AgreesWithThePublishedPhiloxVector) {
    RandomStream random({0, 0, 0, 0});  // kat_vectors of Random123: philox4x32, 10 rounds, all zero
    EXPECT_EQ(random.bits(), 0x6627e8d5U);
    EXPECT_EQ(random.bits(), 0xe169c58dU);
    EXPECT_EQ(random.bits(), 0xbc57ac4cU);
    EXPECT_EQ(random.bits(), 0x9b00dbd8U);
}

TEST(RandomStreamTest, EachPartOfTheKeyGivesAnotherSequence) {
    const std::uint32_t first = RandomStream({1, 2, 3, 4}).bits();
    EXPECT_EQ(RandomStream({1, 2, 3, 4}).bits(), first);
    EXPECT_NE(RandomStream({9, 2, 3, 4}).bits(), first);
    EXPECT_NE(RandomStream({1ULL << 32 | 1, 2, 3, 4}).bits(), first);
    EXPECT_NE(RandomStream({1, 9, 3, 4}).bits(), first);
    EXPECT_NE(RandomStream({1, 2, 9, 4}).bits(), first);
    EXPECT_NE(RandomStream({1, 2, 3, 9}).bits(), first);
}

struct Moments {
    double mean{0}, variance{0};
};

/// Of 100 000 draws: the mean is known to variance^1/2 / 316.
template <class Draw>
Moments moments_of(Draw draw) {
    constexpr int count = 100'000;
    double sum = 0, squares = 0;
    for (int i = 0; i < count; ++i) {
        const double value = draw();
        sum += value;
        squares += value * value;
    }
    const double mean = sum / count;
    return {mean, squares / count - mean * mean};
}

TEST(RandomStreamTest, DistributionsHaveTheirMeanAndVariance) {
    RandomStream random({7, 0, 0, 0});
    const auto expect = [](Moments seen, double mean, double variance) {
        EXPECT_NEAR(seen.mean, mean, 5 * std::sqrt(variance / 1e5));  // 5 sigma
        EXPECT_NEAR(seen.variance, variance, 0.05 * variance);
    };
    expect(moments_of([&] { return random.uniform(2, 4); }), 3, 1.0 / 3);
    expect(moments_of([&] { return random.normal(); }), 0, 1);
    expect(moments_of([&] { return random.gamma(1.3); }), 1.3, 1.3);
    expect(moments_of([&] { return random.gamma(0.4); }), 0.4, 0.4);
    expect(moments_of([&] { return random.poisson(3); }), 3, 3);
    expect(moments_of([&] { return random.poisson(50); }), 50, 50);
    EXPECT_EQ(random.poisson(0), 0U);
}

}  // namespace
}  // namespace farm
