#include "schemas/feature_scales.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(FeatureScalesTest, TextIsReadBackAsItWas) {
    for (const FeatureScales& scales : {FeatureScales{}, FeatureScales{1, 1, 1},
                                        FeatureScales{1e-300, 0.1, 12345.678901234567}}) {
        const auto read = parse_feature_scales(to_text(scales));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(*read, scales);
    }
}

TEST(FeatureScalesTest, OtherTextIsRefused) {
    for (const char* text : {"", "1", "1,2", "1,2,", "1,2,3,", "1,2,3,4", "1;2;3", "1,-2,3",
                             "0,1,1", "1,nan,1", "1,inf,1", "1,2,3 ", "a,b,c", "1e999,1,1"}) {
        EXPECT_FALSE(parse_feature_scales(text)) << text;
    }
}

}  // namespace
}  // namespace farm
