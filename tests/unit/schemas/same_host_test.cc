#include "schemas/same_host.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(SameHostAddressTest, NamesTheSocketOnItsOwnHostOnly) {
    const std::string address = same_host_address("b0/1000", "@w");
    EXPECT_EQ(address, "b0/1000/@w");
    EXPECT_EQ(socket_on("b0/1000", address), "@w");
    EXPECT_EQ(socket_on("b0/100", address), "") << "another user";
    EXPECT_EQ(socket_on("b1/1000", address), "");
    EXPECT_EQ(socket_on("", address), "");
    EXPECT_EQ(socket_on("b0/1000", ""), "");
    EXPECT_EQ(socket_on("b0/1000", "b0/1000"), "");
}

TEST(SameHostAddressTest, IsEmptyWhereOneOfBothIsNotKnown) {
    EXPECT_EQ(same_host_address("", "@w"), "");
    EXPECT_EQ(same_host_address("b0/1000", ""), "");
}

}  // namespace
}  // namespace farm
