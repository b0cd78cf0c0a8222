// RESOLVE and LEASE: parts of workers' windows that clients use directly (rule 13).
#include <gtest/gtest.h>

#include "schemas/lease.h"
#include "tests/unit/broker/core/broker_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t client = 20;
const Secret lease_key = Secret::from_words(5, 5);

/// A broker with one client, and workers that may be called directly.
struct LeaseBench : BrokerBench {
    LeaseBench() { join(client, Role::client, client); }

    void direct_worker(std::uint64_t link, std::uint32_t requests = 4,
                       std::uint64_t bytes = 1 << 20) {
        join(link, Role::worker, link);
        ServiceAd ad;
        ad.index = ServiceIndex{1};
        ad.model = "gnn";
        ad.max_result_bytes = 1000;
        ad.direct_url = "tcp://w" + std::to_string(link) + ":5700";
        receive(link, Advertise{{ad}, lease_key, "key" + std::to_string(link), {}});
        grant(link, requests, bytes);
    }
    std::vector<LeaseGrant> resolve(std::uint32_t request_count, std::uint16_t worker_count = 1,
                                    std::uint64_t link = client) {
        all.clear();
        receive(link, Resolve{"gnn", worker_count, 100, request_count, 0, {}});
        const auto leases = sent<Lease>(link);
        return leases.size() == 1 ? leases.front().grants : std::vector<LeaseGrant>{};
    }
    /// How many of `count` calls the broker sends on at once.
    std::size_t routed(std::uint64_t count, std::uint64_t worker) {
        all.clear();
        for (std::uint64_t i = 0; i < count; ++i) receive(client, make_call(100 + i));
        return sent<Call>(worker).size();
    }
};

TEST(BrokerLeasesTest, ALeaseIsSealedAndSaysWhere) {
    LeaseBench bench;
    bench.direct_worker(1);
    const auto grants = bench.resolve(2);
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].url, "tcp://w1:5700");
    EXPECT_EQ(grants[0].worker_key, "key1");
    EXPECT_EQ(grants[0].request_count, 2U);
    EXPECT_EQ(grants[0].device_bytes, 2 * (100U + 1000U));
    EXPECT_EQ(grants[0].tenant, "default");
    EXPECT_TRUE(is_sealed(lease_key, {PeerId::from_words(9, client), "gnn", grants[0]}));
}

TEST(BrokerLeasesTest, WhatIsLeasedIsNotUsedTwice) {
    LeaseBench bench;
    bench.direct_worker(1, 4);
    ASSERT_EQ(bench.resolve(2).size(), 1U);
    EXPECT_EQ(bench.routed(4, 1), 2U);
}

TEST(BrokerLeasesTest, LeasedBytesAreNotUsedTwice) {
    LeaseBench bench;
    bench.direct_worker(1, 8, 4 * 1100);
    ASSERT_EQ(bench.resolve(2).front().request_count, 2U);
    EXPECT_EQ(bench.routed(4, 1), 2U);
}

TEST(BrokerLeasesTest, OneCallIsLeftForTheRoutedPath) {
    LeaseBench bench;
    bench.direct_worker(1, 4);
    EXPECT_EQ(bench.resolve(100).front().request_count, 3U);
    bench.direct_worker(2, 1);
    EXPECT_EQ(bench.resolve(100, 2).size(), 1U) << "a window of one is for routed calls";
}

TEST(BrokerLeasesTest, WhatWaitsInTheQueueComesFirst) {
    LeaseBench bench;
    bench.direct_worker(1, 4);
    bench.join(21, Role::client, 21);
    for (std::uint64_t i = 1; i <= 7; ++i) bench.receive(21, BrokerBench::make_call(i));
    EXPECT_TRUE(bench.resolve(1).empty());
    EXPECT_EQ(bench.sent<Lease>(client).size(), 1U) << "answered at once";
}

TEST(BrokerLeasesTest, AClientThatFillsTheWindowGetsItsLeaseAsItsCallsEnd) {
    LeaseBench bench;
    bench.direct_worker(1, 3);
    for (std::uint64_t i = 1; i <= 8; ++i) bench.receive(client, BrokerBench::make_call(i));
    EXPECT_TRUE(bench.resolve(8).empty());
    EXPECT_TRUE(bench.sent<Lease>(client).empty()) << "the answer waits";

    bench.all.clear();
    bench.receive(1, BrokerBench::make_answer(1));
    EXPECT_TRUE(bench.sent<Call>(1).empty()) << "its room is kept free";
    EXPECT_TRUE(bench.sent<Lease>(client).empty());
    bench.receive(1, BrokerBench::make_answer(2));
    const auto leases = bench.sent<Lease>(client);
    ASSERT_EQ(leases.size(), 1U);
    ASSERT_EQ(leases.front().grants.size(), 1U);
    EXPECT_EQ(leases.front().grants.front().request_count, 2U);
    bench.receive(1, BrokerBench::make_answer(3));
    EXPECT_EQ(bench.sent<Call>(1).size(), 1U) << "one call of the window is for routed ones";
}

TEST(BrokerLeasesTest, APromiseOfCallsThatDoNotEndIsTakenBack) {
    LeaseBench bench;
    bench.direct_worker(1, 3);
    for (std::uint64_t i = 1; i <= 3; ++i) bench.receive(client, BrokerBench::make_call(i));
    EXPECT_TRUE(bench.resolve(2).empty());
    for (int i = 0; i < 4; ++i) {
        bench.pass(1s);
        bench.receive(1, Beat{});
        bench.receive(client, Beat{});
    }
    const auto leases = bench.sent<Lease>(client);
    ASSERT_EQ(leases.size(), 1U);
    EXPECT_TRUE(leases.front().grants.empty());
    bench.receive(1, BrokerBench::make_answer(1));
    EXPECT_EQ(bench.routed(2, 1), 1U);
}

TEST(BrokerLeasesTest, AnAskThatIsRepeatedReplacesItsPromise) {
    LeaseBench bench;
    bench.direct_worker(1, 3);
    for (std::uint64_t i = 1; i <= 3; ++i) bench.receive(client, BrokerBench::make_call(i));
    EXPECT_TRUE(bench.resolve(2).empty());
    EXPECT_TRUE(bench.resolve(1).empty());
    bench.receive(1, BrokerBench::make_answer(1));
    const auto leases = bench.sent<Lease>(client);
    ASSERT_EQ(leases.size(), 1U);
    EXPECT_EQ(leases.front().grants.front().request_count, 1U);
}

TEST(BrokerLeasesTest, APromiseEndsWithItsClient) {
    LeaseBench bench;
    bench.direct_worker(1, 3);
    for (std::uint64_t i = 1; i <= 3; ++i) bench.receive(client, BrokerBench::make_call(i));
    EXPECT_TRUE(bench.resolve(2).empty());
    bench.receive(client, Goodbye{"done"});
    bench.receive(1, BrokerBench::make_answer(1));
    bench.join(21, Role::client, 21);
    bench.all.clear();
    bench.receive(21, BrokerBench::make_call(4));
    EXPECT_EQ(bench.sent<Call>(1).size(), 1U);
}

TEST(BrokerLeasesTest, SeveralWorkersShareTheCalls) {
    LeaseBench bench;
    bench.direct_worker(1, 8);
    bench.direct_worker(2, 8);
    const auto grants = bench.resolve(5, 2);
    ASSERT_EQ(grants.size(), 2U);
    EXPECT_EQ(grants[0].request_count + grants[1].request_count, 5U);
    EXPECT_NE(grants[0].url, grants[1].url);
}

TEST(BrokerLeasesTest, AWorkerThatJoinsGetsItsShareBesideRenewedLeases) {
    LeaseBench bench;
    bench.direct_worker(1, 8);
    ASSERT_EQ(bench.resolve(4, 2).front().request_count, 4U);
    bench.direct_worker(2, 8);
    const auto grants = bench.resolve(4, 2);
    ASSERT_EQ(grants.size(), 2U);
    EXPECT_EQ(grants[1].url, "tcp://w2:5700");
    EXPECT_EQ(grants[1].request_count, 2U);
}

TEST(BrokerLeasesTest, ARenewedLeaseKeepsItsNumberAndIsNeverSmaller) {
    LeaseBench bench;
    bench.direct_worker(1, 8);
    const auto first = bench.resolve(4);
    const auto second = bench.resolve(2);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second[0].lease, first[0].lease);
    EXPECT_EQ(second[0].request_count, 4U);
    EXPECT_EQ(bench.resolve(6).front().request_count, 6U);
    EXPECT_EQ(bench.routed(8, 1), 2U) << "it is on the books once";
}

TEST(BrokerLeasesTest, AWindowThatShrankRenewsNothing) {
    LeaseBench bench;
    bench.direct_worker(1, 8);
    ASSERT_EQ(bench.resolve(6).size(), 1U);
    bench.grant(1, 4);
    EXPECT_TRUE(bench.resolve(6).empty());
}

TEST(BrokerLeasesTest, ALeaseEndsWithItsTime) {
    LeaseBench bench;
    bench.direct_worker(1, 4);
    ASSERT_EQ(bench.resolve(3).size(), 1U);
    for (int i = 0; i < 10; ++i) {
        bench.pass(1s);
        bench.grant(1, 4);
        bench.receive(client, Beat{});
    }
    EXPECT_EQ(bench.routed(4, 1), 4U);
}

TEST(BrokerLeasesTest, AReturnedLeaseFreesItsRoomForCallsThatWait) {
    LeaseBench bench;
    bench.direct_worker(1, 4);
    LeaseGrant lease = bench.resolve(3).at(0);
    EXPECT_EQ(bench.routed(4, 1), 1U);
    lease.request_count = 0;
    bench.receive(1, Lease{"gnn/1", {lease}});
    EXPECT_EQ(bench.sent<Call>(1).size(), 4U);
}

TEST(BrokerLeasesTest, AWorkerReturnsOnlyItsOwnLeases) {
    LeaseBench bench;
    bench.direct_worker(1, 4);
    LeaseGrant lease = bench.resolve(3).at(0);
    bench.direct_worker(2, 1);
    lease.request_count = 0;
    bench.receive(2, Lease{"gnn/1", {lease}});
    EXPECT_EQ(bench.routed(4, 1), 1U);
}

TEST(BrokerLeasesTest, WorkersWithoutAnAddressAreNotLeased) {
    LeaseBench bench;
    bench.worker(1, 1);
    EXPECT_TRUE(bench.resolve(1).empty());
}

TEST(BrokerLeasesTest, NobodyIsSentToAWorkerThatLeaves) {
    LeaseBench bench;
    bench.direct_worker(1);
    bench.receive(1, Drain{});
    EXPECT_TRUE(bench.resolve(1).empty());
}

TEST(BrokerLeasesTest, ABareNameMeansTheHighestVersion) {
    LeaseBench bench;
    bench.direct_worker(1);
    bench.join(2, Role::worker, 2);
    ServiceAd newer;
    newer.index = ServiceIndex{1};
    newer.model = "gnn";
    newer.version = 2;
    newer.direct_url = "tcp://w2:5700";
    bench.receive(2, Advertise{{newer}, lease_key, {}, {}});
    bench.grant(2, 4, 1ULL << 30);
    const auto grants = bench.resolve(2, 4);
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].url, "tcp://w2:5700");
}

TEST(BrokerLeasesTest, AServiceThatIsAdvertisedAgainKeepsItsLeases) {
    LeaseBench bench;
    bench.direct_worker(1, 4);
    ASSERT_EQ(bench.resolve(2).size(), 1U);
    ServiceAd again;
    again.index = ServiceIndex{1};
    again.model = "gnn";
    again.max_result_bytes = 1000;
    bench.receive(1, Advertise{{again}, lease_key, {}, {}});
    bench.grant(1, 4);
    EXPECT_EQ(bench.routed(4, 1), 2U);
}

TEST(BrokerLeasesTest, AnUnknownServiceHasNoLeases) {
    LeaseBench bench;
    bench.receive(client, Resolve{"nobody", 1, 0, 1, 0, {}});
    ASSERT_EQ(bench.sent<Lease>(client).size(), 1U);
    EXPECT_TRUE(bench.sent<Lease>(client).front().grants.empty());
}

// ---- on the same host -------------------------------------------------------------------------

struct SameHostBench : LeaseBench {
    void worker_on(std::uint64_t link, const std::string& same_host, const std::string& url) {
        join(link, Role::worker, link);
        ServiceAd ad;
        ad.index = ServiceIndex{1};
        ad.model = "gnn";
        ad.max_result_bytes = 1000;
        ad.direct_url = url;
        receive(link, Advertise{{ad}, lease_key, "", same_host});
        grant(link, 4, 1 << 20);
    }
    std::vector<LeaseGrant> resolve_from(const std::string& host, std::uint16_t worker_count = 1) {
        all.clear();
        receive(client, Resolve{"gnn", worker_count, 100, 4, 0, host});
        const auto leases = sent<Lease>(client);
        return leases.size() == 1 ? leases.front().grants : std::vector<LeaseGrant>{};
    }
};

TEST(BrokerSameHostTest, AWorkerWithoutAnotherAddressIsLeasedOnItsHostOnly) {
    SameHostBench bench;
    bench.worker_on(1, "boot/0/@w1", "");
    EXPECT_TRUE(bench.resolve_from("").empty());
    EXPECT_TRUE(bench.resolve_from("boot/1").empty());
    const auto grants = bench.resolve_from("boot/0");
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].same_host, "boot/0/@w1");
    EXPECT_EQ(grants[0].url, "");
}

TEST(BrokerSameHostTest, OfIdleWorkersTheOneOnTheClientsHostComesFirst) {
    SameHostBench bench;
    bench.worker_on(1, "boot/8/@w1", "tcp://w1:1");
    bench.worker_on(2, "boot/0/@w2", "tcp://w2:1");
    const auto grants = bench.resolve_from("boot/0");
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].same_host, "boot/0/@w2");
}

TEST(BrokerSameHostTest, ClientsElsewhereAreNotToldOfTheSocket) {
    SameHostBench bench;
    bench.worker_on(1, "boot/0/@w1", "tcp://w1:1");
    const auto grants = bench.resolve_from("boot/1");
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].same_host, "");
    EXPECT_EQ(grants[0].url, "tcp://w1:1");
}

}  // namespace
}  // namespace farm
