#include "common/ops/process.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <poll.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 30'000ms;  // only ends a test that hangs

class ProcessTest : public ::testing::Test {
  protected:
    ProcessTest()
        : output_(std::filesystem::temp_directory_path() /
                  ("farm-process-" + std::to_string(::getpid()) +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name())) {}
    ~ProcessTest() override { std::filesystem::remove(output_); }

    ChildProcess shell(const std::string& script) {
        SpawnOptions options;
        options.arguments = {"sh", "-c", script};
        options.environment = {{"FARM_TEST_WORD", "hello"}};
        options.stdout_file = output_.string();
        auto child = ChildProcess::spawn(options);
        EXPECT_TRUE(child) << child.error().message;
        return std::move(*child);
    }

    std::string output() const {
        std::stringstream text;
        text << std::ifstream(output_).rdbuf();
        return text.str();
    }

    /// Waits until the child has written `text`.
    bool wrote(const std::string& text) const {
        for (auto left = patience; left > 0ms; left -= 2ms) {
            if (output().find(text) != std::string::npos) return true;
            std::this_thread::sleep_for(2ms);
        }
        return false;
    }

    std::filesystem::path output_;
};

TEST_F(ProcessTest, ExitCodeEnvironmentAndOutputArrive) {
    ChildProcess child = shell("echo $FARM_TEST_WORD; exit 3");
    EXPECT_EQ(child.wait(patience), (ExitStatus{3, 0}));
    EXPECT_EQ(output(), "hello\n");
    EXPECT_FALSE(child.running());
    EXPECT_EQ(to_string(*child.status()), "exit code 3");
}

TEST_F(ProcessTest, MissingProgramIsNamed) {
    const auto child = ChildProcess::spawn({{"/nonexistent/program"}, {}, {}, {}, false});
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().code, ErrorCode::not_found);
    EXPECT_NE(child.error().message.find("/nonexistent/program"), std::string::npos);
    EXPECT_FALSE(ChildProcess::spawn({}));
}

TEST_F(ProcessTest, StopAsksFirst) {
    ChildProcess child = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
    ASSERT_TRUE(wrote("ready"));
    EXPECT_TRUE(child.running());
    EXPECT_EQ(child.stop(patience), (ExitStatus{7, 0}));
}

TEST_F(ProcessTest, StopKillsWhoDoesNotListen) {
    ChildProcess child = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    ASSERT_TRUE(wrote("ready"));
    EXPECT_EQ(child.stop(20ms), (ExitStatus{0, SIGKILL}));
}

TEST_F(ProcessTest, DescriptorBecomesReadableAtTheEnd) {
    ChildProcess child = shell("exit 0");
    pollfd item{child.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&item, 1, static_cast<int>(patience.count())), 1);
    EXPECT_FALSE(child.running());
    EXPECT_TRUE(child.status()->ok());
}

TEST_F(ProcessTest, DestructorEndsTheChild) {
    pid_t pid = -1;
    {
        ChildProcess child = shell("echo ready; exec sleep 1000");
        ASSERT_TRUE(wrote("ready"));
        pid = child.pid();
        ChildProcess moved = std::move(child);
        EXPECT_TRUE(moved.running());
    }
    EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(ProcessTest, ChildOutlivesTheThreadThatStartedIt) {
    std::optional<ChildProcess> child;
    std::thread([&] { child.emplace(shell("echo ready; exec sleep 1000")); }).join();
    ASSERT_TRUE(wrote("ready"));
    EXPECT_FALSE(child->wait(50ms));
    EXPECT_TRUE(child->running());
}

TEST_F(ProcessTest, ChildDiesWithItsParent) {
    const pid_t parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {
        // A process of its own, which starts a child and then is killed without warning.
        ChildProcess child = shell("echo pid $$; exec sleep 1000");
        wrote("pid");
        ::raise(SIGKILL);
    }
    ASSERT_TRUE(wrote("\n"));
    const pid_t grandchild = std::stoi(output().substr(4));
    bool gone = false;
    for (auto left = patience; left > 0ms && !gone; left -= 2ms) {
        // A zombie that nobody reaps in a container counts as gone.
        std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
        std::string pid, name, state;
        gone = !(stat >> pid >> name >> state) || state == "Z";
        std::this_thread::sleep_for(2ms);
    }
    EXPECT_TRUE(gone);
}

TEST_F(ProcessTest, BlockedSignalsAreNotInherited) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
    ChildProcess child = shell("echo ready; exec sleep 1000");
    ::pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
    ASSERT_TRUE(wrote("ready"));
    EXPECT_EQ(child.stop(patience), (ExitStatus{0, SIGTERM}));
}

}  // namespace
}  // namespace farm
