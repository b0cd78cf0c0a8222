#include "common/ops/log.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

const LogOptions plain{"farm-broker", LogLevel::info, false};
const LogOptions json{"farm-broker", LogLevel::info, true};

TEST(LogTest, FieldsFollowTheText) {
    EXPECT_EQ(format_log_line(plain, LogLevel::info, "worker joined",
                              {{"name", "node 7"}, {"services", 3}, {"ok", true}}, ""),
              "farm-broker: worker joined name=\"node 7\" services=3 ok=true");
}

TEST(LogTest, JsonKeepsNumbersAndTime) {
    EXPECT_EQ(
        format_log_line(json, LogLevel::warning, "slow", {{"ms", 12}, {"who", "a"}}, "T"),
        R"({"time":"T","level":"warning","program":"farm-broker","message":"slow","ms":12,"who":"a"})");
}

TEST(LogTest, TextFromOutsideCannotForgeALine) {
    const std::string evil = "x\nerror: fake\x1b[2J\"";
    EXPECT_EQ(format_log_line(plain, LogLevel::info, "hello", {{"name", evil}}, ""),
              R"(farm-broker: hello name="x\nerror: fake\u001b[2J\"")");
    EXPECT_EQ(format_log_line(json, LogLevel::info, evil, {}, ""),
              R"({"level":"info","program":"farm-broker","message":"x\nerror: fake\u001b[2J\""})");
}

TEST(LogTest, LevelDecidesWhatIsWritten) {
    start_log({"t", LogLevel::warning, false});
    EXPECT_FALSE(log_enabled(LogLevel::info));
    EXPECT_TRUE(log_enabled(LogLevel::error));
    ::testing::internal::CaptureStderr();
    log_info("hidden");
    log_error("shown", {{"code", 7}});
    const std::string written = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(written.find("hidden"), std::string::npos);
    EXPECT_NE(written.find("t: shown code=7\n"), std::string::npos) << written;
}

TEST(LogTest, UnknownLevelIsNamed) {
    EXPECT_EQ(*parse_log_level("error"), LogLevel::error);
    EXPECT_NE(parse_log_level("loud").error().message.find("'loud'"), std::string::npos);
}

}  // namespace
}  // namespace farm
