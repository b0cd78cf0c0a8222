#include "gpu_worker/core/slices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using Sizes = std::vector<std::uint32_t>;

TEST(SlicesTest, AreAsFewAndAsEqualAsTheyCanBe) {
    EXPECT_EQ(slice_sizes(1, 1), Sizes{1});
    EXPECT_EQ(slice_sizes(64, 64), Sizes{64});
    EXPECT_EQ(slice_sizes(65, 64), (Sizes{33, 32}));
    EXPECT_EQ(slice_sizes(10, 3), (Sizes{3, 3, 2, 2}));
    EXPECT_EQ(slice_sizes(UINT32_MAX, UINT32_MAX), Sizes{UINT32_MAX});
}

TEST(SlicesTest, OnlyAFewSlicesOfALargeCallAreTrials) {
    const BatchSizes::Choice small{{2, true}, 1, 16};
    EXPECT_EQ(slices_of(40, small).rows, (Sizes{2, 2, 2, 2, 16, 16}));
    EXPECT_EQ(slices_of(40, small).trial_count, 4U);
    const BatchSizes::Choice large{{32, true}, 1, 16};
    EXPECT_EQ(slices_of(70, large).rows, (Sizes{32, 13, 13, 12}));
    EXPECT_EQ(slices_of(70, large).trial_count, 1U);
    EXPECT_EQ(slices_of(20, large).rows, Sizes{20});
    const BatchSizes::Choice usual{{16, false}, 1, 16};
    EXPECT_EQ(slices_of(40, usual).rows, (Sizes{14, 13, 13}));
    EXPECT_EQ(slices_of(40, usual).trial_count, 0U);
}

TEST(SlicesTest, AnySlicesTogetherAreTheCall) {
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        const std::uint32_t rows = 1 + random() % 300;
        const BatchSizes::Choice choice{
            {1 + static_cast<std::uint32_t>(random() % 300), random() % 2 == 0},
            1,
            1 + static_cast<std::uint32_t>(random() % 300)};
        const Slices slices = slices_of(rows, choice);
        EXPECT_EQ(std::accumulate(slices.rows.begin(), slices.rows.end(), 0U), rows);
        EXPECT_LE(slices.trial_count, slices.rows.size());
        const std::uint32_t most = std::max(choice.size.rows, choice.usual_rows);
        for (const std::uint32_t slice : slices.rows) {
            EXPECT_GE(slice, 1U);
            EXPECT_LE(slice, most);
        }
    }
}

TEST(SlicesTest, OnlyRowsOfFixedOutputsCanBePutTogether) {
    ServiceAd ad;
    ad.batch = BatchRule::rows;
    EXPECT_FALSE(can_slice(ad));  // nothing is known of the outputs
    ad.signature.outputs = {{"y", dtype::f32, {-1, 2}, false}};
    EXPECT_TRUE(can_slice(ad));
    ad.signature.outputs.push_back({"z", dtype::f32, {-1, -1}, false});
    EXPECT_FALSE(can_slice(ad));
    ad.signature.outputs.pop_back();
    ad.batch = BatchRule::graph;
    EXPECT_FALSE(can_slice(ad));
}

/// A model that works row by row gives the same whole or in slices, and inputs are not copied.
TEST(SlicesTest, SlicedOutputsEqualThoseOfTheWhole) {
    std::mt19937 random(5);
    for (int round = 0; round < 200; ++round) {
        const std::uint32_t rows = 1 + random() % 60;
        TensorList call{testing::zeros("a", {rows, 2, 3}), testing::zeros("b", {rows})};
        for (Tensor& tensor : call) {
            MutableBuffer bytes(tensor.data.size());
            for (std::byte& byte : bytes.bytes()) byte = static_cast<std::byte>(random());
            tensor.data = std::move(bytes).freeze();
        }
        SlicedOutputs outputs(rows);
        std::uint32_t first = 0;
        for (const std::uint32_t count : slice_sizes(rows, 1 + random() % 20)) {
            const TensorList slice = slice_rows(call, first, count);
            EXPECT_EQ(slice[0].data.data(), call[0].data.data() + first * 24);
            outputs.add(slice, count);
            first += count;
        }
        const TensorList whole = outputs.take();
        ASSERT_EQ(whole.size(), call.size());
        for (std::size_t i = 0; i < call.size(); ++i) {
            EXPECT_EQ(whole[i].desc, call[i].desc);
            EXPECT_TRUE(std::ranges::equal(whole[i].data.bytes(), call[i].data.bytes()));
        }
    }
}

}  // namespace
}  // namespace farm
