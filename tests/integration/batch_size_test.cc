// A worker learns how large its runs should be, and cuts calls that are larger.
#include <gtest/gtest.h>

#include <algorithm>

#include "cpu_client/lib/client.h"
#include "schemas/cost_curve.h"
#include "tests/integration/farm_children.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

/// 2 ms for a run and 0.5 ms for a row, but 4 times as much for rows in runs of more than 8.
void add_model_with_cliff(FarmChildren& farm) {
    farm.add_model("cliff",
                   {{"farm.reference.kind", "sleep"},
                    {"farm.reference.fixed_ns", "2000000"},
                    {"farm.reference.per_row_ns", "500000"},
                    {"farm.reference.cliff_rows", "8"},
                    {"farm.reference.cliff_factor", "4"}},
                   "max_batch_size: 64\n"
                   "input { name: \"x\" data_type: TYPE_FP32 dims: 3 }\n"
                   "output { name: \"y\" data_type: TYPE_FP32 dims: 3 }");
}

std::vector<CostPoint> learned_curve(Client& client) {
    const auto report = client.status();
    if (!report || report->services.empty()) return {};
    return report->services.front().cost;
}

bool has_learned(const std::vector<CostPoint>& curve) {
    const std::uint32_t knee = knee_rows(curve);
    return !curve.empty() && curve.back().rows == 50 && knee >= 4 && knee <= 8;
}

// Every call has 50 rows, so what is known of smaller runs is known from slices.
TEST(BatchSizeTest, LargeCallsAreSlicedAtTheKneeAndGiveTheSame) {
    FarmChildren farm;
    add_model_with_cliff(farm);
    farm.start_broker();
    farm.start_worker("w1", farm.url());
    auto client = Client::connect(farm.url());
    ASSERT_TRUE(client) << client.error().message;

    const TimePoint give_up = steady_now() + 100s;
    std::vector<CostPoint> curve;
    for (int call = 0; !has_learned(curve); ++call) {
        ASSERT_LT(steady_now(), give_up) << farm.log("w1");
        std::vector<float> values(150);
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<float>(call) + static_cast<float>(i) / 256;
        }
        const Inference answer =
            client->infer("cliff", {{"x", tensor<float>({50, 3}, std::span<const float>(values))}})
                .get();
        ASSERT_TRUE(answer.ok()) << answer.detail;
        const auto got = answer.output("y").as<float>();
        ASSERT_TRUE(got) << got.error().message;
        ASSERT_TRUE(std::ranges::equal(*got, values));
        curve = learned_curve(*client);
    }
}

}  // namespace
}  // namespace farm
