#include "bench/load/load.h"

#include <gtest/gtest.h>

namespace farm::bench {
namespace {

TEST(LoadTest, TravelsAsJson) {
    const Load load{16 << 20, 64, 0.25, 1000};
    const auto back = parse_load(to_json(load));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, load);
}

TEST(SampleTest, TravelsAsJson) {
    const Sample sample{12, 1.5, 2.25, 3.125};
    const auto back = parse_sample(to_json(sample));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, sample);
}

TEST(SampleTest, WhatIsNoSampleIsRefused) {
    for (const char* text : {"", "{", "[]", "{\"calls\": 3}", "{\"calls\": \"many\"}"}) {
        const auto sample = parse_sample(text);
        ASSERT_FALSE(sample) << text;
        EXPECT_EQ(sample.error().code, ErrorCode::invalid);
    }
}

}  // namespace
}  // namespace farm::bench
