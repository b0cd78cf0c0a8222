#include "schemas/service.h"

#include <gtest/gtest.h>

#include <limits>

namespace farm {
namespace {

TEST(ServiceNameTest, AcceptsModelsAndVersions) {
    for (const char* name : {"gnn", "gnn/3", "a.b-c_D9", "gnn/4294967295", "mmi."}) {
        EXPECT_TRUE(is_service_name(name)) << name;
    }
    EXPECT_TRUE(is_service_name(service_name("gnn", 12)));
}

TEST(ServiceNameTest, RefusesPathsControlBytesAndOtherSpellingsOfAVersion) {
    using namespace std::string_view_literals;
    for (const std::string_view name :
         {""sv, "/"sv, "/3"sv, "gnn/"sv, "gnn/03"sv, "gnn/0"sv, "gnn/+3"sv, "gnn/-3"sv, "gnn/3/4"sv,
          "gnn/x"sv, "gnn/4294967296"sv, ".."sv, "../"sv, "../3"sv, ".hidden"sv, "a b"sv, "a\nb"sv,
          "a\0b"sv, "gn\xc3\xb6"sv}) {
        EXPECT_FALSE(is_service_name(name)) << name;
    }
}

TEST(ServiceNameTest, IsBounded) {
    EXPECT_TRUE(is_service_name(std::string(limits::name_bytes, 'a')));
    EXPECT_FALSE(is_service_name(std::string(limits::name_bytes + 1, 'a')));
}

TEST(CostTest, UsesTheFallbackWithoutACurve) { EXPECT_EQ(cost_at({}, 5, 77), 77U); }

TEST(CostTest, IsLinearBetweenPoints) {
    const std::vector<CostPoint> curve{{1, 100}, {9, 500}, {10, 1000}};
    EXPECT_EQ(cost_at(curve, 1, 0), 100U);
    EXPECT_EQ(cost_at(curve, 5, 0), 300U);
    EXPECT_EQ(cost_at(curve, 9, 0), 500U);
}

TEST(CostTest, IsProportionalBeyondTheLastPoint) {
    EXPECT_EQ(cost_at({{1, 100}, {10, 1000}}, 40, 0), 4000U);
}

TEST(CostTest, IsFlatBelowTheFirstPoint) { EXPECT_EQ(cost_at({{8, 800}, {16, 900}}, 1, 0), 800U); }

TEST(CostTest, SaturatesInsteadOfOverflowing) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(cost_at({{1, most}}, std::numeric_limits<std::uint32_t>::max(), 0), most);
    EXPECT_EQ(cost_at({{0, 5}}, 3, 0), 15U);
}

}  // namespace
}  // namespace farm
