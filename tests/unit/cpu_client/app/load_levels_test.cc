#include "cpu_client/app/load_levels.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using Levels = std::vector<double>;

Levels parse(std::string_view text) {
    const auto levels = parse_load_levels("--concurrency", text, 4096);
    return levels ? *levels : Levels{};
}
std::string error_of(std::string_view text) {
    const auto levels = parse_load_levels("--concurrency", text, 4096);
    return levels ? "" : levels.error().message;
}

TEST(LoadLevelsTest, OneDoublingAndSteps) {
    EXPECT_EQ(parse("8"), (Levels{8}));
    EXPECT_EQ(parse("1:64"), (Levels{1, 2, 4, 8, 16, 32, 64}));
    EXPECT_EQ(parse("10:50:20"), (Levels{10, 30, 50}));
    EXPECT_EQ(parse("0.5:2"), (Levels{0.5, 1, 2}));
}

TEST(LoadLevelsTest, TheLastLevelIsAlwaysThere) {
    EXPECT_EQ(parse("1:5"), (Levels{1, 2, 4, 5}));
    EXPECT_EQ(parse("10:55:20"), (Levels{10, 30, 50, 55}));
    EXPECT_EQ(parse("3:3"), (Levels{3}));
}

TEST(LoadLevelsTest, ErrorsNameFlagTextAndReason) {
    for (const char* text : {"", "a", "1:", ":1", "1:2:3:4", "1-4", "1e999", "nan"}) {
        EXPECT_NE(error_of(text).find("is not a range"), std::string::npos) << text;
    }
    EXPECT_NE(error_of("0:4").find("ascend"), std::string::npos);
    EXPECT_NE(error_of("-1").find("ascend"), std::string::npos);
    EXPECT_NE(error_of("8:4").find("--concurrency '8:4'"), std::string::npos);
    EXPECT_NE(error_of("1:8:0").find("step"), std::string::npos);
    EXPECT_NE(error_of("1:4097").find("limit of 4096"), std::string::npos);
    EXPECT_NE(error_of("1:4096:1").find("64 levels"), std::string::npos);
}

}  // namespace
}  // namespace farm
