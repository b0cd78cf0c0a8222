#include "common/ops/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "common/core/version.h"

namespace farm {
namespace {

class ConfigTest : public ::testing::Test {
  protected:
    ConfigTest() : path_(std::filesystem::temp_directory_path() / ("farm-config-" + unique())) {
        line.app().add_option("--broker", broker);
        line.app().add_option("--bind", binds);
        line.app().add_option("--workers", workers);
        line.app().add_option("--credit.bytes", credit_bytes);
        line.app().add_flag("--insecure", insecure);
        CLI::App* bench = line.app().add_subcommand("bench", "Measure");
        bench->add_option("--concurrency", concurrency);
    }
    ~ConfigTest() override {
        std::filesystem::remove(path_);
        ::unsetenv("FARM_BROKER");
        ::unsetenv("FARM_CREDIT_BYTES");
        ::unsetenv("FARM_CONCURRENCY");
    }

    static std::string unique() {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        return std::to_string(::getpid()) + test->name();
    }

    std::string file(const std::string& text) {
        std::ofstream(path_) << text;
        return path_.string();
    }

    std::optional<CommandLine::Stop> parse(std::vector<std::string> arguments) {
        std::vector<const char*> argv{"farm-test"};
        for (const std::string& argument : arguments) argv.push_back(argument.c_str());
        return line.try_parse(static_cast<int>(argv.size()), argv.data());
    }

    std::string error_of(const std::string& yaml) {
        const auto stop = parse({"--config", file(yaml)});
        if (!stop) return "accepted";
        EXPECT_EQ(stop->exit_code, 2);
        return stop->message;
    }

    std::filesystem::path path_;
    CommandLine line{"farm-test", "A program under test"};
    std::string broker;
    std::vector<std::string> binds;
    int workers{1};
    std::uint64_t credit_bytes{0};
    bool insecure{false};
    std::string concurrency;
};

TEST_F(ConfigTest, FileSetsEverythingThatFlagsSet) {
    const auto stop = parse({"--config",
                             file("broker: tcp://a:1\n"
                                  "bind: [tcp://a:2, 'ipc:///b']\n"
                                  "workers: 3\n"
                                  "insecure: true\n"
                                  "log-level: debug\n"
                                  "credit: {bytes: 77}\n"
                                  "bench:\n  concurrency: 1:64\n"),
                             "bench"});
    ASSERT_FALSE(stop) << stop->message;
    EXPECT_EQ(broker, "tcp://a:1");
    EXPECT_EQ(binds, (std::vector<std::string>{"tcp://a:2", "ipc:///b"}));
    EXPECT_EQ(workers, 3);
    EXPECT_TRUE(insecure);
    EXPECT_EQ(credit_bytes, 77U);
    EXPECT_EQ(concurrency, "1:64");
    EXPECT_EQ(line.log_options().level, LogLevel::debug);
}

TEST_F(ConfigTest, FlagBeatsFileBeatsEnvironment) {
    ::setenv("FARM_BROKER", "from-environment", 1);
    ::setenv("FARM_CREDIT_BYTES", "5", 1);
    const auto stop =
        parse({"--config", file("broker: from-file\nworkers: 3\n"), "--workers", "9"});
    ASSERT_FALSE(stop) << stop->message;
    EXPECT_EQ(workers, 9);
    EXPECT_EQ(broker, "from-file");
    EXPECT_EQ(credit_bytes, 5U);
}

TEST_F(ConfigTest, EnvironmentReachesSubcommands) {
    ::setenv("FARM_CONCURRENCY", "8", 1);
    ASSERT_FALSE(parse({"bench"}));
    EXPECT_EQ(concurrency, "8");
}

TEST_F(ConfigTest, UnknownKeyIsNamedWithLineAndNearestName) {
    const std::string text = error_of("workers: 2\n\nbrokr: tcp://a:1\n");
    EXPECT_NE(text.find(path_.string() + " line 3"), std::string::npos) << text;
    EXPECT_NE(text.find("'brokr'"), std::string::npos) << text;
    EXPECT_NE(text.find("'broker'"), std::string::npos) << text;
}

TEST_F(ConfigTest, UnknownNestedKeyIsNamedInFull) {
    EXPECT_NE(error_of("credit: {byte: 1}\n").find("'credit.byte'"), std::string::npos);
    EXPECT_NE(error_of("bench: {speed: 1}\n").find("'bench.speed'"), std::string::npos);
}

TEST_F(ConfigTest, WrongTypeIsNamedWithItsLine) {
    const std::string text = error_of("insecure: true\nworkers: many\n");
    EXPECT_NE(text.find("line 2"), std::string::npos) << text;
    EXPECT_NE(text.find("--workers"), std::string::npos) << text;
}

TEST_F(ConfigTest, BrokenFilesAreErrors) {
    EXPECT_NE(error_of("workers: 1\nworkers: 2\n").find("twice"), std::string::npos);
    EXPECT_NE(error_of("workers:\n").find("no value"), std::string::npos);
    EXPECT_NE(error_of("workers: {a: 1}\n").find("has a map"), std::string::npos);
    EXPECT_NE(error_of("- a\n- b\n").find("not a map"), std::string::npos);
    EXPECT_NE(error_of("a: [1\n").find("not YAML"), std::string::npos);
    EXPECT_NE(error_of("config: other.yaml\n").find("unknown key 'config'"), std::string::npos);
    EXPECT_NE(error_of("log-level: loud\n").find("'loud'"), std::string::npos);
}

TEST_F(ConfigTest, EmptyFileIsFine) {
    const auto stop = parse({"--config", file("# nothing yet\n")});
    EXPECT_FALSE(stop) << stop->message;
}

TEST_F(ConfigTest, MissingFileIsNamed) {
    const auto stop = parse({"--config", "/nonexistent/farm.yaml"});
    ASSERT_TRUE(stop);
    EXPECT_EQ(stop->exit_code, 2);
    EXPECT_NE(stop->message.find("/nonexistent/farm.yaml"), std::string::npos) << stop->message;
}

TEST_F(ConfigTest, HelpAndVersionEndWell) {
    const auto help = parse({"--help"});
    ASSERT_TRUE(help);
    EXPECT_EQ(help->exit_code, 0);
    EXPECT_NE(help->message.find("--broker"), std::string::npos);
    CommandLine other{"farm-test", ""};
    const char* argv[] = {"farm-test", "--version"};
    const auto shown = other.try_parse(2, argv);
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->exit_code, 0);
    EXPECT_EQ(shown->message, "farm-test " + std::string(version) + "\n");
}

TEST_F(ConfigTest, UnknownFlagIsAnError) {
    const auto stop = parse({"--brokr", "x"});
    ASSERT_TRUE(stop);
    EXPECT_EQ(stop->exit_code, 2);
    EXPECT_NE(stop->message.find("--brokr"), std::string::npos);
}

}  // namespace
}  // namespace farm
