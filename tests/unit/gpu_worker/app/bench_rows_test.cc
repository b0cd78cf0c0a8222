#include "gpu_worker/app/bench_rows.h"

#include <gtest/gtest.h>

#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;

ServiceAd batching(std::uint32_t most) {
    ServiceAd ad;
    ad.model = "m";
    ad.batch = BatchRule::rows;
    ad.max_batch_rows = most;
    return ad;
}

TEST(BenchRowsTest, RowsAreRepeatedOrLeftOut) {
    const TensorList event{floats("x", {2, 2}, {1, 2, 3, 4})};
    const auto more = with_rows(batching(5), event, 5);
    ASSERT_TRUE(more);
    EXPECT_EQ((*more)[0].desc.shape, (Shape{5, 2}));
    EXPECT_EQ(values_of((*more)[0]), (std::vector<float>{1, 2, 3, 4, 1, 2, 3, 4, 1, 2}));
    const auto less = with_rows(batching(5), event, 1);
    ASSERT_TRUE(less);
    EXPECT_EQ(values_of((*less)[0]), (std::vector<float>{1, 2}));
}

TEST(BenchRowsTest, SizesThatTheModelDoesNotTakeAreRefused) {
    const TensorList event{floats("x", {1, 1}, {1})};
    const auto many = with_rows(batching(4), event, 5);
    ASSERT_FALSE(many);
    EXPECT_NE(many.error().message.find("1 to 4"), std::string::npos) << many.error().message;
    EXPECT_FALSE(with_rows(batching(4), event, 0));
    EXPECT_FALSE(with_rows(ServiceAd{}, event, 1));
}

}  // namespace
}  // namespace farm
