#include "common/core/pool.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace farm {
namespace {

TEST(PoolTest, UsesStorageAgainAndLeavesObjectsWhereTheyAre) {
    Pool<std::string> pool;
    std::string* const first = pool.take();
    *first = "first";
    std::set<std::string*> taken;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(taken.insert(pool.take()).second);
    EXPECT_EQ(*first, "first");
    EXPECT_EQ(pool.taken_count(), 1001U);
    for (std::string* each : taken) pool.give_back(each);
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(taken.contains(pool.take()));
    EXPECT_EQ(pool.taken_count(), 1001U);
}

}  // namespace
}  // namespace farm
