#include "cpu_client/events/track_labels.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(TrackLabelsTest, LabelsBecomeTracksFromOneAndNoneBecomesZero) {
    const std::vector<Hit> hits{
        {7, 0, 0, 0, 8, 2, 1}, {9, 0, 0, 0, 8, 2, 1}, {8, 0, 0, 0, 8, 2, 1}};
    const std::vector<std::int64_t> labels{0, -1, 41};
    EXPECT_EQ(format_submission(hits, labels), "hit_id,track_id\n7,1\n9,0\n8,42\n");
}

TEST(TrackLabelsTest, EventWithoutHitsHasAHeader) {
    EXPECT_EQ(format_submission({}, {}), "hit_id,track_id\n");
}

}  // namespace
}  // namespace farm
