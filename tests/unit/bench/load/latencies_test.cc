#include "bench/load/latencies.h"

#include <gtest/gtest.h>

namespace farm::bench {
namespace {

TEST(LatenciesTest, PercentilesAreLatenciesThatWereSeen) {
    Latencies latencies;
    for (int i = 100; i >= 1; --i) latencies.add(i);
    const Sample sample = latencies.summary(2);
    EXPECT_EQ(sample.calls, 100U);
    EXPECT_EQ(sample.calls_per_s, 50);
    EXPECT_EQ(sample.p50_us, 50);
    EXPECT_EQ(sample.p99_us, 99);
}

TEST(LatenciesTest, OneCallIsAllPercentiles) {
    Latencies latencies;
    latencies.add(7);
    EXPECT_EQ(latencies.summary(1).p50_us, 7);
    EXPECT_EQ(latencies.summary(1).p99_us, 7);
}

TEST(LatenciesTest, NoCallIsNoCall) { EXPECT_EQ(Latencies().summary(1), Sample{}); }

}  // namespace
}  // namespace farm::bench
