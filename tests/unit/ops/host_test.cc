#include "common/ops/host.h"

#include <filesystem>

#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "schemas/limits.h"

namespace farm {
namespace {

TEST(HostTest, PeerNameHoldsHostAndProcess) {
    EXPECT_EQ(peer_name(), host_name() + "/" + std::to_string(::getpid()));
    EXPECT_LE(peer_name().size(), limits::name_bytes);
}

TEST(HostTest, ResidentMemoryOfThisAndOfAnEndedProcess) {
    const auto here = rss_bytes();
    ASSERT_TRUE(here);
    EXPECT_GT(*here, 100U * 1024);
    EXPECT_TRUE(rss_bytes(::getpid()));
    EXPECT_EQ(rss_bytes(2'000'000'000).error().code, ErrorCode::not_found);
}

TEST(HostTest, EpochGrows) {
    const auto first = start_epoch();
    EXPECT_GE(start_epoch(), first);
    EXPECT_GT(first, 1'700'000'000'000'000'000U);
}

TEST(HostTest, OpenFilesAreRaisedToTheHardLimit) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(raise_open_file_limit(), limit.rlim_max);
}

TEST(HostTest, ExecutableFolderHoldsThisTest) {
    EXPECT_TRUE(std::filesystem::exists(executable_folder() + "/ops_test"));
}

}  // namespace
}  // namespace farm
