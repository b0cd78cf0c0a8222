// The client library against real brokers and workers.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/integration/client_calls.h"
#include "tests/integration/farm_children.h"
#include "tests/support/no_more_threads.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

/// OK, and the one output is what went in.
::testing::AssertionResult is_echo(const Inference& result, const std::vector<float>& values) {
    if (!result.ok()) {
        return ::testing::AssertionFailure() << to_string(result.status) << ": " << result.detail;
    }
    if (result.outputs.size() != 1) return ::testing::AssertionFailure() << "not one output";
    const auto output = Output(result.outputs.front()).as<float>();
    if (!output) return ::testing::AssertionFailure() << output.error().message;
    if (!std::equal(output->begin(), output->end(), values.begin(), values.end())) {
        return ::testing::AssertionFailure() << "other values came back";
    }
    return ::testing::AssertionSuccess();
}

class ClientLibraryTest : public ::testing::Test {
  protected:
    ClientLibraryTest() {
        farm_.add_model("echo", {{"farm.reference.kind", "identity"}});
        farm_.add_model(
            "slow", {{"farm.reference.kind", "sleep"}, {"farm.reference.fixed_ns", "20000000"}});
        farm_.add_model("stuck", {{"farm.reference.kind", "sleep"},
                                  {"farm.reference.fixed_ns", "20000000000"}});
        farm_.add_model("typed", {{"farm.reference.kind", "identity"}},
                        "input { name: \"nodes\" data_type: TYPE_FP32 dims: [-1, 3] }\n"
                        "output { name: \"scores\" data_type: TYPE_FP32 dims: [-1, 3] }\n");
    }

    void start_farm() {
        farm_.start_broker();
        farm_.start_worker("w1", farm_.url());
    }
    Client connect(ClientConfig config = {}) { return connect_to(farm_.url(), std::move(config)); }
    Client connect_to(const std::string& brokers, ClientConfig config = {}) {
        config.back_off.connect_timeout = 500ms;
        auto client = Client::connect(brokers, std::move(config));
        EXPECT_TRUE(client) << client.error().message;
        return std::move(*client);
    }
    void TearDown() override {
        if (!HasFailure()) return;
        for (const char* name : {"broker", "other", "w1", "w2"}) {
            std::cerr << "---- log of " << name << "\n" << farm_.log(name);
        }
    }

    FarmChildren farm_;
};

// ---- one call ---------------------------------------------------------------------------------

TEST_F(ClientLibraryTest, SmallCallComesBackWithProvenance) {
    start_farm();
    Client client = connect();
    const auto values = numbers(100);
    const Inference result = client.infer("echo", one_input(values)).get();
    EXPECT_TRUE(is_echo(result, values));
    EXPECT_EQ(result.made_by.worker, "w1");
    EXPECT_EQ(result.made_by.model, "echo");
    EXPECT_EQ(result.made_by.version, 1U);
    EXPECT_GT(result.elapsed, 0ns);
}

TEST_F(ClientLibraryTest, OutputsAreTypedAndChecked) {
    start_farm();
    Client client = connect();
    const std::vector<float> nodes = numbers(6);
    const Inference result =
        client.infer("typed/1", {{"nodes", tensor<float>({2, 3}, std::span<const float>(nodes))}})
            .get();
    ASSERT_TRUE(result.ok()) << result.detail;
    EXPECT_EQ(result.output("scores").shape(), (Shape{2, 3}));
    EXPECT_EQ((*result.output("scores").as<float>())[5], nodes[5]);
    const auto wrong = result.output("scores").as<std::int64_t>();
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message.find("float32"), std::string::npos);
    const auto missing = result.output("score").as<float>();
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message.find("'scores'"), std::string::npos);
}

TEST_F(ClientLibraryTest, LargeTensorsTravelInChunksBothWays) {
    start_farm();
    Client client = connect();
    const auto values = numbers(1'500'000);  // 6 MB
    EXPECT_TRUE(is_echo(client.infer("echo", one_input(values)).get(), values));
    const auto shared = std::make_shared<std::vector<float>>(values);
    const Buffer buffer(std::shared_ptr<const std::byte>(
                            shared, reinterpret_cast<const std::byte*>(shared->data())),
                        shared->size() * sizeof(float));
    EXPECT_TRUE(
        is_echo(client.infer("echo", {{"x", tensor<float>({1'500'000}, buffer)}}).get(), values));
}

TEST_F(ClientLibraryTest, SmallAndLargeCallsMixFromOneThread) {
    start_farm();
    Client client = connect();
    std::vector<std::vector<float>> values;
    std::vector<Future<Inference>> futures;
    for (std::size_t i = 0; i < 60; ++i) {
        values.push_back(numbers(i % 6 == 0 ? 400'000 : 10 + i, static_cast<float>(i)));
        futures.push_back(client.infer("echo", one_input(values.back())));
    }
    for (std::size_t i = 0; i < futures.size(); ++i) {
        EXPECT_TRUE(is_echo(futures[i].get(), values[i])) << "call " << i;
    }
}

TEST_F(ClientLibraryTest, CallThatNothingFollowsLeavesWhenItIsWaitedFor) {
    farm_.start_broker("broker", {"--beat-ms", "10000"});  // calls alone wake the client's loop
    farm_.start_worker("w1", farm_.url());
    Client client = connect();
    await_model(client, "echo");
    const auto values = numbers(10);
    const CallOptions soon{.deadline = 5s};
    for (int round = 0; round < 20; ++round) {
        std::vector<Future<Inference>> futures;
        for (int i = 0; i < 8; ++i) futures.push_back(client.infer("echo", one_input(values)));
        for (Future<Inference>& future : futures) EXPECT_TRUE(is_echo(future.get(), values));
        ASSERT_TRUE(is_echo(client.infer("echo", one_input(values), soon).get(), values));
    }
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(client.infer("not a name", {}, soon).get().status, CallStatus::invalid);
    }
}

// ---- threads ----------------------------------------------------------------------------------

TEST_F(ClientLibraryTest, SeveralThreadsShareOneClient) {
    start_farm();
    Client client = connect();
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 100; ++i) {
                const auto values = numbers(20, static_cast<float>(1000 * t + i));
                if (is_echo(client.infer("echo", one_input(values)).get(), values)) ++good;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 400);
}

TEST_F(ClientLibraryTest, CallbacksRunWithoutAnybodyWaitingAndMayCallAgain) {
    start_farm();
    Client client = connect();
    std::mutex mutex;
    std::condition_variable changed;
    int left = 50;
    int failed = 0;
    std::function<void(Inference)> next = [&](Inference result) {
        std::unique_lock lock(mutex);
        if (!result.ok()) ++failed;
        if (--left == 0) return changed.notify_all();
        lock.unlock();
        client.infer("echo", one_input(numbers(5)), {}, next);
    };
    client.infer("echo", one_input(numbers(5)), {}, next);
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 60s, [&] { return left == 0; }));
    EXPECT_EQ(failed, 0);
}

TEST_F(ClientLibraryTest, CallbackMayWaitForAnotherCall) {
    start_farm();
    Client client = connect();
    CallStatus inner = CallStatus::internal;
    bool done = false;
    client.infer("echo", one_input(numbers(5)), {}, [&](Inference) {
        inner = client.infer("echo", one_input(numbers(5))).get().status;
        done = true;
    });
    client.infer("slow", one_input(numbers(5))).get();
    client.infer("slow", one_input(numbers(5))).get();
    EXPECT_TRUE(done);
    EXPECT_EQ(inner, CallStatus::ok);
}

TEST_F(ClientLibraryTest, WithoutBackgroundThreadWaitsDriveEverything) {
    start_farm();
    ClientConfig config;
    config.background_thread = false;
    Client client = connect(config);
    bool called = false;
    client.infer("echo", one_input(numbers(5)), {},
                 [&](Inference result) { called = result.ok(); });
    EXPECT_TRUE(client.infer("slow", one_input(numbers(5))).get().ok());
    EXPECT_TRUE(client.infer("slow", one_input(numbers(5))).get().ok());
    EXPECT_TRUE(called);
}

TEST_F(ClientLibraryTest, CallIsRefusedWhereTheBackgroundCanHaveNoThreadAndTheNextOneGoes) {
    start_farm();
    Client client = connect();
    const auto values = numbers(3);
    {
        const testing::NoMoreThreads none;
        const Inference refused = client.infer("echo", one_input(values)).get();
        EXPECT_EQ(refused.status, CallStatus::overloaded);
        EXPECT_GT(refused.retry_after_ms, 0U);
        EXPECT_NE(refused.detail.find("no more threads"), std::string::npos) << refused.detail;
    }
    EXPECT_TRUE(is_echo(client.infer("echo", one_input(values)).get(), values));
}

TEST_F(ClientLibraryTest, FutureOutlivesItsClient) {
    start_farm();
    Future<Inference> future;
    {
        Client client = connect();
        ASSERT_TRUE(client.infer("echo", one_input(numbers(5))).get().ok());
        future = client.infer("stuck", one_input(numbers(5)));
    }
    EXPECT_EQ(future.get().status, CallStatus::cancelled);
}

// ---- how calls end ----------------------------------------------------------------------------

TEST_F(ClientLibraryTest, DeadlineAndCancelEndACallThatRuns) {
    start_farm();
    Client client = connect();
    ASSERT_TRUE(client.infer("echo", one_input(numbers(5))).get().ok());
    CallOptions options;
    options.deadline = 200ms;
    const Inference late = client.infer("stuck", one_input(numbers(5)), options).get();
    EXPECT_EQ(late.status, CallStatus::deadline) << late.detail;
    Future<Inference> future = client.infer("stuck", one_input(numbers(5)));
    EXPECT_FALSE(future.wait_for(50ms));
    client.cancel(future.id());
    EXPECT_EQ(future.get().status, CallStatus::cancelled);
}

TEST_F(ClientLibraryTest, BadInputsAreInvalidNamingTheField) {
    start_farm();
    Client client = connect();
    const std::vector<float> nodes = numbers(8);
    const auto span = std::span<const float>(nodes);
    const auto ask = [&](Inputs inputs) { return client.infer("typed", inputs).get(); };

    const Inference columns = ask({{"nodes", tensor<float>({2, 4}, span)}});
    EXPECT_EQ(columns.status, CallStatus::invalid);
    EXPECT_NE(columns.detail.find("nodes"), std::string::npos) << columns.detail;
    const Inference name = ask({{"node", tensor<float>({4, 2}, span)}});
    EXPECT_EQ(name.status, CallStatus::invalid);
    const Inference size = ask({{"nodes", tensor<float>({3, 3}, span)}});
    EXPECT_EQ(size.status, CallStatus::invalid);
    EXPECT_EQ(size.attempts, 0);
    const Inference twice =
        ask({{"nodes", tensor<float>({4, 2}, span)}, {"nodes", tensor<float>({4, 2}, span)}});
    EXPECT_EQ(twice.status, CallStatus::invalid);
    EXPECT_NE(twice.detail.find("twice"), std::string::npos) << twice.detail;
    EXPECT_EQ(client.infer("not a name", {}).get().status, CallStatus::invalid);
}

TEST_F(ClientLibraryTest, UnknownModelIsNoServiceAfterItsGrace) {
    start_farm();
    Client client = connect();
    const Inference result = client.infer("nobody", one_input(numbers(5))).get();
    EXPECT_EQ(result.status, CallStatus::no_service) << result.detail;
    EXPECT_NE(result.detail.find("nobody"), std::string::npos);
}

TEST_F(ClientLibraryTest, UnreachableBrokersAreNamedWithTheTime) {
    ClientConfig config;
    config.give_up_after = 300ms;
    Client client = connect_to(farm_.url("none") + "," + farm_.url("neither"), config);
    const Inference result = client.infer("echo", one_input(numbers(5))).get();
    EXPECT_EQ(result.status, CallStatus::unavailable);
    EXPECT_NE(result.detail.find("none.sock"), std::string::npos) << result.detail;
    EXPECT_NE(result.detail.find("neither.sock"), std::string::npos) << result.detail;
    EXPECT_NE(result.detail.find("0.3 s"), std::string::npos) << result.detail;
    const auto models = client.models();
    ASSERT_FALSE(models);
    EXPECT_NE(models.error().message.find("none.sock"), std::string::npos);
}

TEST(ClientConnectTest, BadConfigurationIsAnError) {
    EXPECT_FALSE(Client::connect("tcp://head"));
    EXPECT_FALSE(Client::connect(""));
    ClientConfig half;
    half.server_key = std::string(40, 'x');
    const auto client = Client::connect("tcp://head:5600", half);
    ASSERT_FALSE(client);
    EXPECT_NE(client.error().message.find("key_file"), std::string::npos);
}

TEST_F(ClientLibraryTest, ModelsAndStatusTellWhatIsThere) {
    start_farm();
    Client client = connect();
    ASSERT_TRUE(
        client.infer("typed", {{"nodes", tensor<float>({0, 3}, std::span<const float>())}}, {})
            .get()
            .status != CallStatus::no_service);
    const auto models = client.models();
    ASSERT_TRUE(models) << models.error().message;
    EXPECT_EQ(models->size(), 4U);
    const auto status = client.status();
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->broker.name, "broker");
    ASSERT_EQ(status->workers.size(), 1U);
    EXPECT_EQ(status->workers.front().name, "w1");
}

// ---- things that die --------------------------------------------------------------------------

TEST_F(ClientLibraryTest, OnlyBrokerKilledAndRestartedLosesNoCall) {
    start_farm();
    Client client = connect();
    ASSERT_TRUE(client.infer("slow", one_input(numbers(5))).get().ok());
    std::vector<Future<Inference>> futures;
    for (int i = 0; i < 40; ++i) futures.push_back(client.infer("slow", one_input(numbers(5))));
    ASSERT_TRUE(futures[3].get().ok());
    farm_.kill("broker");
    for (int i = 0; i < 10; ++i) futures.push_back(client.infer("slow", one_input(numbers(5))));
    farm_.start_broker();
    for (Future<Inference>& future : futures) {
        if (!future.valid()) continue;
        const Inference result = future.get();
        EXPECT_TRUE(result.ok()) << to_string(result.status) << ": " << result.detail;
    }
}

TEST_F(ClientLibraryTest, OneOfTwoBrokersKilledLosesNoCall) {
    farm_.start_broker("broker");
    farm_.start_broker("other");
    const std::string both = farm_.url("broker") + "," + farm_.url("other");
    farm_.start_worker("w1", both);
    Client client = connect_to(both);
    ASSERT_TRUE(client.infer("slow", one_input(numbers(5))).get().ok());
    const std::string used = client.status()->broker.name;
    std::vector<Future<Inference>> futures;
    for (int i = 0; i < 40; ++i) futures.push_back(client.infer("slow", one_input(numbers(5))));
    ASSERT_TRUE(futures[3].get().ok());
    farm_.kill(used);
    for (Future<Inference>& future : futures) {
        if (!future.valid()) continue;
        const Inference result = future.get();
        EXPECT_TRUE(result.ok()) << to_string(result.status) << ": " << result.detail;
    }
    EXPECT_NE(client.status()->broker.name, used);
}

TEST_F(ClientLibraryTest, OneOfTwoWorkersKilledLosesNoCall) {
    start_farm();
    farm_.start_worker("w2", farm_.url());
    Client client = connect();
    ASSERT_TRUE(client.infer("slow", one_input(numbers(5))).get().ok());
    std::vector<Future<Inference>> futures;
    for (int i = 0; i < 60; ++i) futures.push_back(client.infer("slow", one_input(numbers(5))));
    ASSERT_TRUE(futures[5].get().ok());
    farm_.kill("w1");
    for (Future<Inference>& future : futures) {
        if (!future.valid()) continue;
        const Inference result = future.get();
        EXPECT_TRUE(result.ok()) << to_string(result.status) << ": " << result.detail;
    }
}

/// The worker that has the call, once it has said so: two more beats name it as running.
std::string worker_that_runs_it(Client& client) {
    std::string name;
    int beats = 0;
    std::uint32_t heard_ms_ago = 0;
    while (beats < 3) {
        const auto status = client.status();
        if (!status) continue;
        for (const WorkerStatus& worker : status->workers) {
            if (worker.outstanding_count == 0 || worker.state != "ready") continue;
            if (worker.name == name && worker.heard_ms_ago < heard_ms_ago) ++beats;
            name = worker.name;
            heard_ms_ago = worker.heard_ms_ago;
        }
    }
    return name;
}

TEST_F(ClientLibraryTest, CallThatRunsWhileTwoWorkersDieIsPoisonAndInQuarantine) {
    start_farm();
    farm_.start_worker("w2", farm_.url());
    ClientConfig config;
    config.quarantine_folder = farm_.folder() / "quarantine";
    Client client = connect(config);
    Future<Inference> future = client.infer("stuck", one_input({666, 2}));
    const std::string first = worker_that_runs_it(client);
    farm_.kill(first);
    const std::string second = worker_that_runs_it(client);
    EXPECT_NE(second, first);
    farm_.kill(second);
    const Inference result = future.get();
    EXPECT_EQ(result.status, CallStatus::poison) << to_string(result.status) << result.detail;
    const auto place = config.quarantine_folder / short_hex(result.id);
    EXPECT_TRUE(std::filesystem::exists(place / "0_x.npy"));
    EXPECT_TRUE(std::filesystem::exists(place / "call.txt"));
}

// ---- local mode -------------------------------------------------------------------------------

TEST_F(ClientLibraryTest, LocalModeServesARepositoryWithoutAFarm) {
    ::setenv("FARM_BIN_DIR", FARM_TEST_BIN_DIR, 1);
    ClientConfig config;
    config.local_models = farm_.models();
    auto client = Client::connect("", config);
    ASSERT_TRUE(client) << client.error().message;
    EXPECT_TRUE(client->is_local());
    EXPECT_TRUE(is_echo(client->infer("echo", one_input(numbers(9))).get(), numbers(9)));
}

TEST_F(ClientLibraryTest, FallsBackToLocalWhenNoBrokerAnswers) {
    ::setenv("FARM_BIN_DIR", FARM_TEST_BIN_DIR, 1);
    ClientConfig config;
    config.local_models = farm_.models();
    config.local_after = 200ms;
    auto client = Client::connect(farm_.url("none"), config);
    ASSERT_TRUE(client) << client.error().message;
    EXPECT_TRUE(client->is_local());
    EXPECT_TRUE(client->infer("echo", one_input(numbers(9))).get().ok());
}

TEST_F(ClientLibraryTest, LocalModeWithoutRepositoryIsAnError) {
    ClientConfig config;
    config.local_models = farm_.folder() / "no such folder";
    const auto client = Client::connect("", config);
    ASSERT_FALSE(client);
    EXPECT_NE(client.error().message.find("no such folder"), std::string::npos);
}

}  // namespace
}  // namespace farm
