#include "common/ops/random.h"

#include <algorithm>
#include <thread>
#include <unordered_set>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(RandomTest, IdsDifferAcrossThreads) {
    constexpr int per_thread_count = 2000;
    std::vector<CallId> one;
    std::vector<CallId> two;
    const auto fill = [](std::vector<CallId>& ids) {
        for (int i = 0; i < per_thread_count; ++i) ids.push_back(random_id<CallId>());
    };
    std::thread other([&] { fill(two); });
    fill(one);
    other.join();
    std::unordered_set<CallId> all(one.begin(), one.end());
    all.insert(two.begin(), two.end());
    EXPECT_EQ(all.size(), 2U * per_thread_count);
}

/// A job that forks its workers had them make the same call ids, and get each other's answers.
TEST(RandomTest, AForkedChildHasIdsOfItsOwn) {
    random_id<CallId>();  // there is a pool to inherit
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    const CallId mine = random_id<CallId>();
    if (child == 0) ::_exit(::write(ends[1], mine.bytes.data(), mine.bytes.size()) == 16 ? 0 : 1);
    CallId theirs;
    ASSERT_EQ(::read(ends[0], theirs.bytes.data(), theirs.bytes.size()), 16);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_NE(mine, theirs);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST(RandomTest, EveryByteIsFilled) {
    std::vector<std::uint8_t> seen(5000, 0);
    for (int round = 0; round < 8; ++round) {
        std::vector<std::uint8_t> bytes(seen.size());
        fill_random(bytes);
        for (std::size_t i = 0; i < seen.size(); ++i) seen[i] |= bytes[i];
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);  // chance of a miss: 5000 / 2^64
}

}  // namespace
}  // namespace farm
