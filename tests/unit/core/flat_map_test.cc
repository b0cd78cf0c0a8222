#include "common/core/flat_map.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>

#include "common/core/ids.h"

namespace farm {
namespace {

TEST(FlatMapTest, FindsWhatWasPutInAndNothingElse) {
    FlatMap<std::string, int> map;
    EXPECT_EQ(map.find("a"), nullptr);
    EXPECT_FALSE(map.erase("a"));
    map["a"] = 1;
    EXPECT_TRUE(map.try_emplace("b", 2).second);
    EXPECT_FALSE(map.try_emplace("b", 3).second);
    EXPECT_EQ(*map.find("a"), 1);
    EXPECT_EQ(*map.find("b"), 2);
    EXPECT_FALSE(map.contains("c"));
    EXPECT_EQ(map.size(), 2U);
    map.clear();
    EXPECT_TRUE(map.empty());
    EXPECT_FALSE(map.contains("a"));
}

TEST(FlatMapTest, BehavesAsStdMapThroughAnyHistory) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        std::mt19937_64 random(seed);
        FlatMap<std::uint64_t, std::uint64_t> map;
        std::map<std::uint64_t, std::uint64_t> oracle;
        for (std::uint64_t step = 0; step < 20'000; ++step) {
            const std::uint64_t key = random() % 300 * (seed % 2 == 0 ? 1 : 1ULL << 40);
            if (random() % 2 == 0) {
                EXPECT_EQ(map.erase(key), oracle.erase(key) == 1);
            } else {
                map[key] = oracle[key] = step;
            }
            ASSERT_EQ(map.size(), oracle.size());
        }
        std::map<std::uint64_t, std::uint64_t> walked(map.begin(), map.end());
        EXPECT_EQ(walked, oracle) << "seed " << seed;
        for (const auto& [key, value] : oracle) EXPECT_EQ(*map.find(key), value);
    }
}

TEST(FlatMapTest, AnEntryThatIsThereStaysWhereItIs) {
    FlatMap<int, int> map;
    for (int key = 0; key < 6; ++key) map[key] = key;  // one more, and the table would grow
    const int* const first = map.find(0);
    for (int key = 0; key < 6; ++key) EXPECT_EQ(map[key], key);
    EXPECT_EQ(map.find(0), first);
}

TEST(FlatMapTest, KeysAreThoseOfAWalk) {
    FlatMap<int, int> map;
    for (int key = 0; key < 20; ++key) map[key] = key;
    std::vector<int> walked;
    for (const auto& [key, value] : map) walked.push_back(key);
    EXPECT_EQ(map.keys(), walked);
    for (const int key : map.keys()) map.erase(key);
    EXPECT_TRUE(map.empty());
}

TEST(FlatMapDeathTest, AtOfAKeyThatIsNotThereStopsTheProcess) {
    FlatMap<int, int> map;
    map[1] = 2;
    EXPECT_EQ(map.at(1), 2);
    EXPECT_DEATH(map.at(3), "precondition failed");
}

struct AllAlike {
    int number{0};
    friend bool operator==(AllAlike, AllAlike) = default;
};

}  // namespace
}  // namespace farm

template <>
struct std::hash<farm::AllAlike> {
    std::size_t operator()(farm::AllAlike) const noexcept { return 7; }
};

namespace farm {
namespace {

TEST(FlatMapTest, KeysWithOneHashAreAllFound) {
    FlatSet<AllAlike> set;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(set.insert({i}));
    for (int i = 0; i < 100; i += 3) EXPECT_TRUE(set.erase({i}));
    for (int i = 0; i < 100; ++i) EXPECT_EQ(set.contains({i}), i % 3 != 0) << i;
}

TEST(FlatMapTest, ErasingReleasesTheValue) {
    FlatMap<int, std::shared_ptr<int>> map;
    const auto value = std::make_shared<int>(1);
    map[1] = value;
    map[2] = value;
    map.erase(1);
    EXPECT_EQ(value.use_count(), 2);
    map.clear();
    EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace farm
