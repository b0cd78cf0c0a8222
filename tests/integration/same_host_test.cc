// Calls within a host: over a Unix socket, with tensors in shared memory. Real brokers and workers.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/net/same_host/same_host_links.h"
#include "tests/integration/client_calls.h"
#include "tests/integration/farm_children.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t megabyte_of_floats = 1 << 18;
const std::string memory_name = "memfd:farm-tensors";

Buffer buffer_of(const std::vector<float>& values) {
    return Buffer::copy_of(std::as_bytes(std::span(values)));
}

/// How much memory of ours is mapped by a process: what it writes, and what its peers do.
struct Mapped {
    std::size_t own{0};
    std::size_t of_peers{0};
};

Mapped mapped_by(const std::string& process) {
    std::ifstream maps("/proc/" + process + "/maps");
    Mapped mapped;
    for (std::string line; std::getline(maps, line);) {
        if (line.find(memory_name) == std::string::npos) continue;
        (line.find(" rw-s ") != std::string::npos ? mapped.own : mapped.of_peers) += 1;
    }
    return mapped;
}

std::size_t open_memory_descriptors() {
    std::size_t count = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const std::string target = std::filesystem::read_symlink(entry.path(), ignored).string();
        if (target.find(memory_name) != std::string::npos) ++count;
    }
    return count;
}

/// Until it holds; the test's own time limit is the last resort.
void await(const std::function<bool()>& holds, const std::string& what) {
    const TimePoint until = steady_now() + 30s;
    while (!holds()) {
        ASSERT_LT(steady_now(), until) << what;
        std::this_thread::yield();
    }
}

class SameHostTest : public ::testing::Test {
  protected:
    SameHostTest() {
        farm_.add_model("echo", {{"farm.reference.kind", "identity"}});
        farm_.add_model("double", {{"farm.reference.kind", "scale"}});
    }
    void connect(DirectUse use = DirectUse::always) {
        ClientConfig config;
        config.direct = use;
        config.log = [this](NoteLevel, const std::string& text) {
            std::lock_guard lock(mutex_);
            notes_ += text + "\n";
        };
        auto client = Client::connect(farm_.url(), std::move(config));
        ASSERT_TRUE(client) << client.error().message;
        client_ = std::make_unique<Client>(*std::move(client));
        await_model(*client_, "double");
    }
    bool has_noted(const std::string& part) {
        std::lock_guard lock(mutex_);
        return notes_.find(part) != std::string::npos;
    }
    void call_until_direct(const std::string& model = "echo") {
        farm::call_until_direct(*client_, model);
    }
    std::uint64_t routed_count() { return farm::routed_count(*client_); }
    void expect_echo(const std::vector<float>& values, const CallOptions& options = {}) {
        const Inference result = client_->infer("echo", one_input(values), options).get();
        ASSERT_TRUE(result.ok()) << result.detail;
        const auto output = result.output("x").as<float>();
        ASSERT_TRUE(output) << output.error().message;
        ASSERT_EQ(output->size(), values.size());
        const auto wrong = std::ranges::mismatch(*output, values);
        EXPECT_EQ(wrong.in1, output->end())
            << *wrong.in1 << " at " << wrong.in1 - output->begin() << " of " << values.size();
    }
    /// Calls like these until they do not pass through the broker any more.
    void echo_until_direct(const std::vector<float>& values, const CallOptions& options = {}) {
        farm::call_until_direct(*client_, [&] { expect_echo(values, options); });
    }

    FarmChildren farm_;
    std::mutex mutex_;
    std::string notes_;
    std::unique_ptr<Client> client_;
};

TEST_F(SameHostTest, CallsThatComeOftenGoThroughSharedMemoryByThemselves) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect(DirectUse::automatic);
    call_until_direct();
    EXPECT_TRUE(has_noted("directly at same host @farm-worker-host-"));
    for (const std::size_t count : {1UL, 100UL, 5'000UL, 3 * megabyte_of_floats}) {
        echo_until_direct(numbers(count));
    }
    EXPECT_EQ(mapped_by("self").own, 1U);
}

TEST_F(SameHostTest, ItIsOnWhereTheOrdinaryDirectPathIsOff) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url(), {"--direct", "off"});
    connect();
    call_until_direct();
    EXPECT_TRUE(has_noted("directly at same host"));
}

TEST_F(SameHostTest, SwitchedOffAtTheWorkerCallsGoByItsOtherAddress) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url(), {"--same-host", "off"});
    connect();
    call_until_direct();
    EXPECT_TRUE(has_noted("directly at ipc://"));
    EXPECT_FALSE(has_noted("same host"));
}

TEST_F(SameHostTest, AHundredMegabytesArriveWhole) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect();
    const std::vector<float> values = numbers(25 << 20);
    echo_until_direct(values, {.deadline = 60s, .max_result_bytes = 128 << 20});
    EXPECT_TRUE(has_noted("directly at same host"));
}

TEST_F(SameHostTest, AnInputOfTheClientsMemoryThatIsHandedBackWasNeverCopied) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect();
    call_until_direct();
    MutableBuffer block = client_->allocate(megabyte_of_floats * sizeof(float));
    const std::vector<float> values = numbers(megabyte_of_floats);
    std::ranges::copy(std::as_bytes(std::span(values)), block.data());
    const Buffer input = std::move(block).freeze();
    const CallOptions options{.max_result_bytes = 2 << 20};
    for (int i = 0; i < 10; ++i) {
        const Inference result = client_->infer("echo", one_input(input), options).get();
        ASSERT_TRUE(result.ok()) << result.detail;
        if (result.output("x").as<float>()->data() == reinterpret_cast<const float*>(input.data()))
            return;
    }
    FAIL() << "the output never was the input";
}

TEST_F(SameHostTest, AnswersThatAreHeldBeyondTheLimitAreCopies) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url(), {"--direct", "off"});
    connect();
    constexpr std::size_t count = 8 << 20;  // 32 MiB
    const CallOptions options{.deadline = 60s, .max_result_bytes = 33 << 20};
    const Buffer input = buffer_of(numbers(count));
    constexpr std::size_t held_count = 3 * limits::held_answer_bytes / (count * sizeof(float)) / 2;
    std::vector<Inference> held;
    while (held.size() < held_count) {
        held.push_back(client_->infer("double", one_input(input), options).get());
        ASSERT_TRUE(held.back().ok()) << held.back().detail;
    }
    EXPECT_TRUE(has_noted("directly at same host"));
    for (const Inference& answer : held) {
        const auto output = answer.output("x").as<float>();
        ASSERT_TRUE(output) << output.error().message;
        EXPECT_EQ((*output)[count - 1], 2.0F * static_cast<float>(count));
    }
    // Regions of 64 MiB: what is held in place, and what was under way.
    EXPECT_LE(mapped_by(std::to_string(farm_.child("w1").pid())).own,
              limits::held_answer_bytes / SharedArena::region_bytes + 2);
}

TEST_F(SameHostTest, AKilledWorkerLosesNoCallAndLeavesNothing) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    farm_.start_worker("w2", farm_.url());
    connect();
    call_until_direct("double");
    ASSERT_TRUE(has_noted("directly at same host"));
    const Buffer input = buffer_of(numbers(megabyte_of_floats));
    const CallOptions options{.max_result_bytes = 2 << 20};
    std::deque<Future<Inference>> open;
    std::vector<Inference> answers;
    const auto take = [&] {
        answers.push_back(open.front().get());
        EXPECT_TRUE(answers.back().ok()) << answers.back().detail;
        open.pop_front();
    };
    for (int i = 0; i < 200; ++i) {
        open.push_back(client_->infer("double", one_input(input), options));
        if (i == 100) farm_.kill("w1");
        if (open.size() >= 6) take();
    }
    while (!open.empty()) take();
    for (const Inference& answer : answers) {
        const auto output = answer.output("x").as<float>();
        ASSERT_TRUE(output) << output.error().message;
        EXPECT_EQ(output->back(), 2.0F * static_cast<float>(megabyte_of_floats));
    }
    farm_.kill("w2");
    answers.clear();
    await([] { return mapped_by("self").of_peers == 0; }, "memory of dead workers is mapped");
    client_.reset();
    EXPECT_EQ(mapped_by("self").own, 0U);
    EXPECT_EQ(open_memory_descriptors(), 0U);
}

/// Calls as fast as it can until it is killed; says on `told` when calls go directly.
[[noreturn]] void be_a_client(const std::string& url, int told) {
    ClientConfig config;
    config.direct = DirectUse::always;
    config.log = [told](NoteLevel, const std::string& text) {
        if (text.find("directly at same host") != std::string::npos) (void)!::write(told, "x", 1);
    };
    auto client = Client::connect(url, std::move(config));
    if (!client) ::_exit(1);
    const Buffer input = buffer_of(numbers(megabyte_of_floats));
    const CallOptions options{.max_result_bytes = 2 << 20};
    std::deque<Future<Inference>> open;
    for (;;) {
        open.push_back(client->infer("double", one_input(input), options));
        if (open.size() < 4) continue;
        (void)open.front().get();
        open.pop_front();
    }
}

TEST_F(SameHostTest, AKilledClientLeavesNothingAtTheWorker) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t client = ::fork();
    ASSERT_GE(client, 0);
    if (client == 0) be_a_client(farm_.url(), told[1]);
    const std::string worker = std::to_string(farm_.child("w1").pid());
    char said = 0;
    ASSERT_EQ(::read(told[0], &said, 1), 1);
    await([&] { return mapped_by(worker).of_peers > 0; }, "the client's memory is never mapped");
    ASSERT_EQ(::kill(client, SIGKILL), 0);
    ASSERT_EQ(::waitpid(client, nullptr, 0), client);
    await([&] { return mapped_by(worker).of_peers == 0; }, "a dead client's memory is mapped");
    connect();
    call_until_direct();
    expect_echo(numbers(megabyte_of_floats));
    ::close(told[0]);
    ::close(told[1]);
}

// ---- other users ------------------------------------------------------------------------------

constexpr uid_t nobody = 65534;

/// What `work` gives as another user, in a process of its own that `meanwhile` serves.
int as_another_user(const std::function<int()>& work, const std::function<void()>& meanwhile) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::setuid(nobody) == 0 ? work() : 2);
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) meanwhile();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct RawSocket {
    explicit RawSocket(const std::string& name)
        : fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
        address.sun_family = AF_UNIX;
        name.copy(address.sun_path, sizeof(address.sun_path));
        address.sun_path[0] = '\0';
        size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    }
    const sockaddr* where() const { return reinterpret_cast<const sockaddr*>(&address); }

    UniqueFd fd;
    sockaddr_un address{};
    socklen_t size{0};
};

TEST(SameHostUserTest, AClientOfAnotherUserIsHungUpOn) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const std::string name = "@farm-test-user-" + std::to_string(::getpid());
    const auto links = *SameHostLinks::make({});
    ASSERT_TRUE(links->listen(name));
    const auto hears_the_end = [&] {
        const RawSocket socket(name);
        if (::connect(socket.fd.get(), socket.where(), socket.size) != 0) return 3;
        char byte = 0;
        return ::recv(socket.fd.get(), &byte, 1, 0) == 0 ? 0 : 4;
    };
    EXPECT_EQ(as_another_user(hears_the_end,
                              [&] {
                                  links->poll_after_sleep(true);
                                  links->tell({});
                              }),
              0);
}

TEST(SameHostUserTest, AWorkerOfAnotherUserIsNotSpokenTo) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const std::string name = "@farm-test-user-" + std::to_string(::getpid());
    int ready[2];
    int over[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(over), 0);
    bool was_lost = false;
    const auto listens = [&] {
        const RawSocket socket(name);
        if (::bind(socket.fd.get(), socket.where(), socket.size) != 0) return 3;
        if (::listen(socket.fd.get(), 1) != 0) return 4;
        char byte = 'r';
        if (::write(ready[1], &byte, 1) != 1) return 5;
        return ::read(over[0], &byte, 1) == 1 ? 0 : 6;
    };
    const auto calls = [&] {
        if (was_lost) return;
        char byte = 0;
        ASSERT_EQ(::read(ready[0], &byte, 1), 1);
        const auto links = *SameHostLinks::make({});
        links->open(LinkId{1 | same_host_bit}, name);
        links->tell({[](LinkOpened) { FAIL() << "another user's worker was taken"; },
                     [&](LinkLost) { was_lost = true; },
                     {},
                     {}});
        ASSERT_EQ(::write(over[1], &byte, 1), 1);
    };
    EXPECT_EQ(as_another_user(listens, calls), 0);
    EXPECT_TRUE(was_lost);
}

}  // namespace
}  // namespace farm
