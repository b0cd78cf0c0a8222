#include "common/net/identity.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(IdentityTest, UserIdRoundTrips) {
    const Identity who{"atlas", {Role::client, Role::admin}, "key"};
    EXPECT_EQ(to_user_id(who), "atlas\nclient,admin\nkey");
    EXPECT_EQ(parse_user_id(to_user_id(who)), who);
}

TEST(IdentityTest, ForeignUserIdsGiveNobody) {
    for (const char* text :
         {"", "atlas", "atlas\nclient", "\nclient\nkey", "atlas\n\nkey", "atlas\nking\nkey"}) {
        EXPECT_FALSE(parse_user_id(text)) << text;
    }
}

TEST(IdentityTest, WithoutKeysEveryRoleIsAllowed) {
    const Identity nobody;
    EXPECT_EQ(nobody.tenant, "default");
    for (Role role : {Role::client, Role::worker, Role::broker, Role::admin}) {
        EXPECT_TRUE(nobody.roles.has(role));
    }
}

TEST(RoleSetTest, UnknownRoleIsNamed) {
    EXPECT_EQ(*parse_roles("worker, client"), (RoleSet{Role::client, Role::worker}));
    EXPECT_NE(parse_roles("king").error().message.find("'king'"), std::string::npos);
    EXPECT_FALSE(parse_roles(" "));
}

}  // namespace
}  // namespace farm
