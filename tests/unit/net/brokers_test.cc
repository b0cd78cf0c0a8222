#include <gtest/gtest.h>

#include "common/net/url.h"
#include "schemas/limits.h"
#include "tests/unit/net/temporary_folder.h"

namespace farm {
namespace {

using Urls = std::vector<std::string>;

TEST(BrokersTest, ListKeepsOrderAndDropsRepeats) {
    EXPECT_EQ(*resolve_brokers("tcp://b:1, tcp://a:2,,tcp://b:1"),
              (Urls{"tcp://b:1", "tcp://a:2"}));
}

TEST(BrokersTest, FileHasOneAddressPerLine) {
    const testing::TemporaryFolder folder;
    const std::string path = folder.write("brokers", "# ours\ntcp://a:1\n\n  tcp://b:2 # second\n");
    EXPECT_EQ(*resolve_brokers("tcp://z:9,@" + path),
              (Urls{"tcp://z:9", "tcp://a:1", "tcp://b:2"}));
}

TEST(BrokersTest, BadLineOfAFileIsNamed) {
    const testing::TemporaryFolder folder;
    const std::string path = folder.write("brokers", "tcp://a:1\nb:2\n");
    const auto brokers = resolve_brokers("@" + path);
    ASSERT_FALSE(brokers);
    EXPECT_NE(brokers.error().message.find(path + " line 2"), std::string::npos);
    EXPECT_NE(brokers.error().message.find("'b:2'"), std::string::npos);
}

TEST(BrokersTest, FilesDoNotIncludeFiles) {
    const testing::TemporaryFolder folder;
    const std::string path = folder.write("brokers", "");
    folder.write("brokers", "@" + path + "\n");
    EXPECT_FALSE(resolve_brokers("@" + path));
}

TEST(BrokersTest, MissingFileAndEmptyListAreErrors) {
    EXPECT_EQ(resolve_brokers("@/nonexistent/brokers").error().code, ErrorCode::not_found);
    EXPECT_EQ(resolve_brokers(" , ").error().code, ErrorCode::invalid);
}

TEST(BrokersTest, TooManyAreRefused) {
    std::string list;
    for (std::size_t i = 0; i <= limits::broker_count; ++i) {
        list += "tcp://b" + std::to_string(i) + ":1,";
    }
    EXPECT_EQ(resolve_brokers(list).error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace farm
