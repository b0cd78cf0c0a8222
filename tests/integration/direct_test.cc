// Calls straight to workers over ZeroMQ (direct path), with real brokers and workers.
#include <gtest/gtest.h>

#include <deque>

#include "common/net/curve.h"
#include "tests/integration/client_calls.h"
#include "tests/integration/farm_children.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

ClientConfig directly(DirectUse use = DirectUse::always) {
    ClientConfig config;
    config.direct = use;
    config.same_host = false;  // same_host_test.cc
    return config;
}

/// A farm that echoes, and a client that calls its workers directly.
class DirectTest : public ::testing::Test {
  protected:
    DirectTest() {
        farm_.add_model("echo", {{"farm.reference.kind", "identity"}});
        farm_.add_model(
            "slow", {{"farm.reference.kind", "sleep"}, {"farm.reference.fixed_ns", "20000000"}});
    }
    void connect(ClientConfig config) {
        auto client = Client::connect(farm_.url(), std::move(config));
        ASSERT_TRUE(client) << client.error().message;
        client_ = std::make_unique<Client>(*std::move(client));
    }
    void call_until_direct(const std::string& model = "echo", std::size_t count = 4) {
        farm::call_until_direct(*client_, model, count);
    }
    std::uint64_t routed_count() { return farm::routed_count(*client_); }

    FarmChildren farm_;
    std::unique_ptr<Client> client_;
};

TEST_F(DirectTest, CallsGoStraightToTheWorker) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect(directly());
    call_until_direct();
    const std::uint64_t before = routed_count();
    for (int i = 0; i < 100; ++i) {
        const std::vector<float> values = numbers(100);
        const Inference result = client_->infer("echo", one_input(values)).get();
        ASSERT_TRUE(result.ok()) << result.detail;
        EXPECT_EQ(result.made_by.worker, "w1");
        const auto output = result.output("x").as<float>();
        ASSERT_TRUE(output) << output.error().message;
        EXPECT_TRUE(std::ranges::equal(*output, values));
    }
    EXPECT_EQ(routed_count(), before);
}

TEST_F(DirectTest, OftenIsEnoughToGoDirectly) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect(directly(DirectUse::automatic));
    call_until_direct();
}

TEST_F(DirectTest, AWorkerThatOffersNoAddressIsCalledThroughTheBroker) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url(), {"--direct", "off"});
    connect(directly());
    const std::vector<float> values = numbers(4);
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(client_->infer("echo", one_input(values)).get().ok());
    }
    EXPECT_EQ(routed_count(), 50U);
}

TEST_F(DirectTest, AnAddressThatNobodyCanReachCostsNoCall) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url(), {"--announce-direct", "ipc://@farm-test-nobody"});
    connect(directly());
    const std::vector<float> values = numbers(4);
    for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(client_->infer("echo", one_input(values)).get().ok());
    }
}

TEST_F(DirectTest, AHundredMegabytesArriveWhole) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect(directly());
    const std::vector<float> values = numbers(25 << 20);
    for (int i = 0; i < 4; ++i) {
        const CallOptions options{.deadline = 60s, .max_result_bytes = 128 << 20};
        const Inference result = client_->infer("echo", one_input(values), options).get();
        ASSERT_TRUE(result.ok()) << result.detail;
        const auto output = result.output("x").as<float>();
        ASSERT_TRUE(output) << output.error().message;
        EXPECT_TRUE(std::ranges::equal(*output, values));
    }
    const std::uint64_t before = routed_count();
    const CallOptions options{.deadline = 60s, .max_result_bytes = 128 << 20};
    ASSERT_TRUE(client_->infer("echo", one_input(values), options).get().ok());
    EXPECT_EQ(routed_count(), before);
}

TEST_F(DirectTest, AKilledWorkerLosesNoCall) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    farm_.start_worker("w2", farm_.url());
    connect(directly());
    call_until_direct("slow");
    const std::vector<float> values = numbers(4);
    std::deque<Future<Inference>> open;
    for (int i = 0; i < 60; ++i) {
        open.push_back(client_->infer("slow", one_input(values)));
        if (i == 30) farm_.kill("w1");
        if (open.size() < 6) continue;
        const Inference result = open.front().get();
        EXPECT_TRUE(result.ok()) << result.detail;
        open.pop_front();
    }
    for (auto& future : open) {
        const Inference result = future.get();
        EXPECT_TRUE(result.ok()) << result.detail;
    }
}

TEST_F(DirectTest, AWorkerThatJoinsIsCalledDirectlyToo) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect(directly());
    call_until_direct();
    farm_.start_worker("w2", farm_.url());
    const std::vector<float> values = numbers(4);
    bool has_answered = false;
    for (int i = 0; i < 1'000'000 && !has_answered; ++i) {
        std::deque<Future<Inference>> open;
        for (int j = 0; j < 4; ++j) open.push_back(client_->infer("echo", one_input(values)));
        for (auto& future : open) {
            const Inference result = future.get();
            ASSERT_TRUE(result.ok()) << result.detail;
            has_answered = has_answered || result.made_by.worker == "w2";
        }
    }
    EXPECT_TRUE(has_answered);
}

TEST_F(DirectTest, CallsGoOnWhileTheBrokerIsAway) {
    farm_.start_broker();
    farm_.start_worker("w1", farm_.url());
    connect(directly());
    call_until_direct();
    farm_.kill("broker");
    const std::vector<float> values = numbers(4);
    for (int i = 0; i < 20; ++i) {
        const Inference result = client_->infer("echo", one_input(values)).get();
        ASSERT_TRUE(result.ok()) << result.detail;
    }
}

TEST_F(DirectTest, WithKeysTheDirectPathIsEncryptedToo) {
    const auto keys = [&](const std::string& name, RoleSet roles) {
        const auto pair = generate_key_pair();
        ASSERT_TRUE(pair) << pair.error().message;
        const std::string place = (farm_.folder() / name).string();
        const auto written = write_key_pair(*pair, place, "atlas", roles);
        ASSERT_TRUE(written) << written.error().message;
    };
    const auto file = [&](const std::string& name) { return (farm_.folder() / name).string(); };
    std::filesystem::create_directories(file("allowed"));
    keys("head", {});
    keys("allowed/worker", {Role::worker});
    keys("allowed/client", {Role::client});
    farm_.start_broker("broker", {"--key", file("head.secret"), "--allow", file("allowed")});
    farm_.start_worker("w1", farm_.url(),
                       {"--key", file("allowed/worker.secret"), "--broker-key", file("head.pub")});
    ClientConfig config = directly();
    config.key_file = file("allowed/client.secret");
    config.server_key = file("head.pub");
    connect(config);
    call_until_direct();
}

}  // namespace
}  // namespace farm
