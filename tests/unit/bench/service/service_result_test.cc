#include "bench/service/service_result.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace farm::bench {
namespace {

std::vector<ServiceSample> samples(std::vector<double> rows_per_s) {
    std::vector<ServiceSample> list;
    for (const double rate : rows_per_s) list.push_back({rate, 10, 25, 1000 / rate});
    return list;
}

/// Calls of 16 jets; direct inference is best in batches of 100.
ServiceResult jets() {
    ServiceResult result;
    result.what.name = "jets";
    result.what.events.rows = 16;
    result.what.goal = 0.95;
    result.what.system_malloc_goal = 1.5;
    result.what.p99_goal = 2;
    result.direct = {{16, samples({400, 380, 390})},
                     {100, samples({500, 480, 490})},
                     {200, samples({450, 470, 460})}};
    result.system_malloc = {200, samples({250, 240, 245})};
    result.farm = {{1, samples({300, 300, 300})}, {16, samples({490, 480, 470})}};
    return result;
}

TEST(ServiceResultTest, TheBestBatchOfDirectInferenceCounts) {
    const ServiceResult result = jets();
    EXPECT_EQ(result.best_direct().rows, 100U);
    EXPECT_EQ(result.most_clients(), 16);
    EXPECT_NEAR(farm_ratio(result, 16, result.best_direct()).median, 0.98, 1e-9);
    EXPECT_NEAR(processor_ratio(result, 16, result.best_direct()).median, 0.98, 1e-9);
}

TEST(ServiceResultTest, GoalsAreThoseOfTheCase) {
    const auto goals = service_goals({jets()});
    ASSERT_EQ(goals.size(), 3U);
    EXPECT_TRUE(goals[0].met());
    EXPECT_EQ(goals[0].goal.what, "jets B=16, 16 clients: farm / direct mapped (B=100)");
    EXPECT_TRUE(goals[1].met());
    EXPECT_NEAR(goals[1].ratio->median, 1.96, 1e-9);
    EXPECT_FALSE(goals[2].met()) << "p99 is 2.5 times p50";
    ServiceResult without = jets();
    without.what.goal = without.what.system_malloc_goal = without.what.p99_goal = 0;
    EXPECT_TRUE(service_goals({without}).empty());
}

TEST(ServiceResultTest, JsonCountsCallsOfTheFarm) {
    const auto list = nlohmann::json::parse(service_json({jets()}));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[1]["model"], "jets");
    EXPECT_EQ(list[1]["batch"], 16);
    EXPECT_EQ(list[1]["clients"], 16);
    EXPECT_DOUBLE_EQ(list[1]["farm_per_s"], 30);
    EXPECT_DOUBLE_EQ(list[1]["direct_per_s"], 490.0 / 16);
    EXPECT_NEAR(list[1]["ratio"].get<double>(), 0.98, 1e-9);
    EXPECT_EQ(list[1]["direct_batch"], 100);
    EXPECT_EQ(list[1]["repeats"], 3);
}

}  // namespace
}  // namespace farm::bench
