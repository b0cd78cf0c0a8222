#include "common/net/allow_list.h"

#include <gtest/gtest.h>

#include "common/net/curve.h"
#include "tests/unit/net/temporary_folder.h"

namespace farm {
namespace {

class AllowListTest : public ::testing::Test {
  protected:
    std::string add(const std::string& name, const std::string& more = "") {
        const std::string key = generate_key_pair()->public_key;
        folder.write(name + ".pub", "# a key\n" + key + "\n" + more);
        return key;
    }

    testing::TemporaryFolder folder;
    TimePoint now{std::chrono::hours(1)};
};

TEST_F(AllowListTest, TenantDefaultsToTheFileNameAndRoleToClient) {
    const std::string key = add("cms");
    auto list = AllowList::open(folder.path());
    ASSERT_TRUE(list);
    EXPECT_EQ(*list->find(key, now), (Identity{"cms", {Role::client}, key}));
    EXPECT_EQ(list->find(generate_key_pair()->public_key, now), nullptr);
    EXPECT_EQ(list->find("", now), nullptr);
}

TEST_F(AllowListTest, TenantAndRolesAreRead) {
    const std::string key = add("node7", "tenant: atlas\nrole: worker\nrole: admin\n");
    auto list = AllowList::open(folder.path());
    EXPECT_EQ(*list->find(key, now), (Identity{"atlas", {Role::worker, Role::admin}, key}));
}

TEST_F(AllowListTest, NewAndRemovedFilesCountAtOnce) {
    const std::string first = add("first");
    auto list = AllowList::open(folder.path());
    const std::string second = add("second");
    EXPECT_NE(list->find(second, now), nullptr);
    std::filesystem::remove(folder.file("first.pub"));
    EXPECT_EQ(list->find(first, now), nullptr);
}

TEST_F(AllowListTest, FileChangedInPlaceCountsAfterASecond) {
    const std::string key = add("first");
    auto list = AllowList::open(folder.path());
    ASSERT_NE(list->find(key, now), nullptr);
    folder.write("first.pub", key + "\ntenant: other\n");
    EXPECT_EQ(list->find(key, now + std::chrono::seconds(2))->tenant, "other");
}

TEST_F(AllowListTest, BrokenFilesAreSkippedAndNamed) {
    const std::string good = add("good");
    const std::string bad_role = add("king", "role: king\n");
    folder.write("empty.pub", "");
    folder.write("noise.pub", "hello world\n");
    add("blank_tenant", "tenant: a b\n");
    folder.write("twin.pub", good + "\n");
    folder.write("large.pub", std::string(5000, '#'));
    folder.write("README", "not a key file");
    auto list = AllowList::open(folder.path());
    ASSERT_TRUE(list);
    EXPECT_EQ(list->count(), 1U);
    EXPECT_EQ(list->find(bad_role, now), nullptr);
    EXPECT_EQ(list->find(good, now)->tenant, "good");
    const auto problems = list->take_problems();
    EXPECT_EQ(problems.size(), 6U);
    EXPECT_TRUE(list->take_problems().empty());
}

TEST_F(AllowListTest, UnreadableFolderAllowsNobody) {
    const std::string key = add("first");
    auto list = AllowList::open(folder.path());
    std::filesystem::remove_all(folder.path());
    EXPECT_EQ(list->find(key, now), nullptr);
    EXPECT_FALSE(AllowList::open(folder.path()));
}

}  // namespace
}  // namespace farm
