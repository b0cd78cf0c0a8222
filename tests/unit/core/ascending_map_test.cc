#include "common/core/ascending_map.h"

#include <gtest/gtest.h>

#include <string>

namespace farm {
namespace {

TEST(AscendingMapTest, NumbersFromOneAndFindsWhatIsThere) {
    AscendingMap<std::string> map;
    EXPECT_TRUE(map.empty());
    EXPECT_EQ(map.add("a"), 1U);
    EXPECT_EQ(map.add("b"), 2U);
    ASSERT_NE(map.find(2), nullptr);
    EXPECT_EQ(*map.find(2), "b");
    EXPECT_EQ(map.find(0), nullptr);
    EXPECT_EQ(map.find(3), nullptr);
    EXPECT_EQ(map.size(), 2U);
}

TEST(AscendingMapTest, KeepsNumbersAndPlacesBehindAHole) {
    AscendingMap<std::string> map;
    for (const char* text : {"a", "b", "c"}) map.add(text);
    const std::string* c = map.find(3);
    map.erase(2);
    map.erase(2);
    EXPECT_EQ(map.find(2), nullptr);
    EXPECT_EQ(map.first_key(), 1U);
    map.erase(1);
    EXPECT_EQ(map.first_key(), 3U);
    EXPECT_EQ(map.find(3), c);
    EXPECT_EQ(map.size(), 1U);
}

TEST(AscendingMapTest, GoesOnCountingWhenItWasEmpty) {
    AscendingMap<int> map;
    map.erase(map.add(5));
    EXPECT_TRUE(map.empty());
    EXPECT_EQ(map.first_key(), map.end_key());
    EXPECT_EQ(map.add(6), 2U);
}

TEST(AscendingMapTest, MayBeErasedWhileItIsWalked) {
    AscendingMap<int> map;
    for (int i = 1; i <= 6; ++i) map.add(i);
    int sum = 0;
    const auto end = map.end_key();
    for (auto key = map.first_key(); key < end; ++key) {
        sum += *map.find(key);
        map.erase(key);
    }
    EXPECT_EQ(sum, 21);
    EXPECT_TRUE(map.empty());
}

}  // namespace
}  // namespace farm
