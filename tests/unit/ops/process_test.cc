#include "common/ops/process.h"

#include <csignal>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;
constexpr auto patience = 30'000ms;  // only ends a test that hangs

/// False when it has not become readable within `patience`.
bool readable(int fd) {
    pollfd item{fd, POLLIN, 0};
    return ::poll(&item, 1, static_cast<int>(patience.count())) == 1;
}

/// Children write to a FIFO, so that their words can be awaited.
class ProcessTest : public ::testing::Test {
  protected:
    ProcessTest()
        : path_(std::filesystem::temp_directory_path() /
                ("farm-process-" + std::to_string(::getpid()) +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
        EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
        fifo_ = ::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        EXPECT_GE(fifo_, 0);
    }
    ~ProcessTest() override {
        ::close(fifo_);
        std::filesystem::remove(path_);
    }

    ChildProcess shell(const std::string& script) {
        SpawnOptions options;
        options.arguments = {"sh", "-c", script};
        options.environment = {{"FARM_TEST_WORD", "hello"}};
        options.stdout_file = path_.string();
        auto child = ChildProcess::spawn(options);
        EXPECT_TRUE(child) << child.error().message;
        return std::move(*child);
    }

    /// All that has been written until now.
    const std::string& output() {
        char bytes[256];
        for (ssize_t n = 0; (n = ::read(fifo_, bytes, sizeof(bytes))) > 0;)
            output_.append(bytes, n);
        return output_;
    }

    /// Waits until a child has written `text`.
    bool wrote(const std::string& text) {
        while (output().find(text) == std::string::npos) {
            if (!readable(fifo_)) return false;
        }
        return true;
    }

    std::filesystem::path path_;
    int fifo_{-1};
    std::string output_;
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
    EXPECT_TRUE(readable(child.fd()));
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
        for (;;) ::pause();
    }
    ASSERT_TRUE(wrote("\n"));
    const pid_t grandchild = std::stoi(output().substr(4));
    const int ended = static_cast<int>(::syscall(SYS_pidfd_open, grandchild, 0));
    ASSERT_GE(ended, 0);
    EXPECT_EQ(::kill(parent, SIGKILL), 0);
    EXPECT_TRUE(readable(ended));
    ::close(ended);
    EXPECT_EQ(::waitpid(parent, nullptr, 0), parent);
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
