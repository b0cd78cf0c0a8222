#include "bench/cost/callgrind_profile.h"

#include <gtest/gtest.h>

namespace farm::bench {
namespace {

// As callgrind 3.19 writes it: compressed names, relative positions, calls with inclusive costs.
constexpr std::string_view profile_text = R"(# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 4711
part: 1
desc: Trigger: Remote Command
positions: line
events: Ir
summary: 1150

ob=(1) /usr/bin/farm-broker
fl=(1) loop.cc
fn=(1) farm::turn(int)
16 100
cob=(2) /lib/libc.so.6
cfi=(2) malloc.c
cfn=(2) malloc
calls=7 0
+1 700
cfn=(3) calloc
calls=2 20
* 200
-2 50
fi=(3) inlined.h
4 100
fe=(1)
+3 

ob=(2)
fl=(2)
fn=(2)
0 700
jump=3 5
fn=(3)
20 150
cfn=(2)
calls=1 0
20 50
totals: 1150
)";

TEST(CallgrindProfileTest, InclusiveCostsOfCallsAreNotCountedTwice) {
    const auto profile = parse_callgrind(profile_text);
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_EQ(profile->instructions, 100U + 50 + 100 + 700 + 150);
    EXPECT_EQ(profile->functions.at("farm::turn(int)").self_instructions, 250U);
    EXPECT_EQ(profile->functions.at("malloc").self_instructions, 700U);
}

TEST(CallgrindProfileTest, AllocationsAreTheCallsOfAllAllocators) {
    const auto profile = parse_callgrind(profile_text);
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->functions.at("malloc").calls, 8U);
    EXPECT_EQ(profile->allocations(), 8U + 2);
}

TEST(CallgrindProfileTest, MostExpensiveComesFirst) {
    const auto profile = parse_callgrind(profile_text);
    ASSERT_TRUE(profile);
    const auto list = profile->most_expensive(2);
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].name, "malloc");
    EXPECT_EQ(list[1].name, "farm::turn(int)");
}

TEST(CallgrindProfileTest, FunctionsWithoutNameAreTheirLibrarys) {
    const auto profile = parse_callgrind(
        "ob=(1) /bin/farm\nfn=(1) main\n1 5\ncob=(2) /lib/libzmq.so.5\ncfn=(2) 0x0062220\n"
        "calls=1 0\n1 9\n\nob=(2)\nfn=(2)\n0 4\nfn=(3) 0x003c930\n0 5\n");
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_EQ(profile->functions.at("unnamed functions of libzmq.so.5").self_instructions, 9U);
    EXPECT_EQ(profile->instructions, 14U);
}

TEST(CallgrindProfileTest, PlainNamesAndNothingToCount) {
    const auto profile = parse_callgrind("events: Ir\nfn=main\n1 5\n");
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->functions.at("main").self_instructions, 5U);
    EXPECT_EQ(profile->allocations(), 0U);
    EXPECT_EQ(parse_callgrind("")->instructions, 0U);
}

TEST(CallgrindProfileTest, BrokenLinesAreNamed) {
    const auto profile = parse_callgrind("fn=main\n1 x\n");
    ASSERT_FALSE(profile);
    EXPECT_NE(profile.error().message.find("line 2"), std::string::npos);
    EXPECT_FALSE(parse_callgrind("calls=none 3\n"));
}

}  // namespace
}  // namespace farm::bench
