#include "gpu_worker/core/lease_ledger.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr LeaseKey key{0, 7};
const TimePoint start{1h};
const ServiceIndex service{1};
const PeerId client = PeerId::from_words(1, 1);

TEST(LeaseLedgerTest, ALeaseBindsWhatItGrants) {
    LeaseLedger ledger;
    const LiveLease& lease = ledger.put(key, service, client, {4, 400}, start + 10s);
    EXPECT_EQ(lease.bound(), (Room{4, 400}));
    ledger.use(key, 100);
    EXPECT_EQ(lease.bound(), (Room{4, 400}));
    EXPECT_TRUE(lease.has_room(300));
    EXPECT_FALSE(lease.has_room(301));
}

TEST(LeaseLedgerTest, AnExpiredLeaseBindsWhatIsStillInUse) {
    LeaseLedger ledger;
    ledger.put(key, service, client, {4, 400}, start + 10s);
    ledger.use(key, 100);
    EXPECT_FALSE(ledger.pop_due(start + 9s));
    EXPECT_EQ(ledger.pop_due(start + 10s), key);
    LiveLease& lease = *ledger.find(key);
    lease.expired = true;
    EXPECT_EQ(lease.bound(), (Room{1, 100}));
    EXPECT_FALSE(lease.has_room(1));
    ledger.drop_if_over(key);
    ASSERT_NE(ledger.find(key), nullptr);
    ledger.give_back(key, 100);
    ledger.drop_if_over(key);
    EXPECT_EQ(ledger.find(key), nullptr);
}

TEST(LeaseLedgerTest, NewTermsMoveTheExpiryAndKeepTheUse) {
    LeaseLedger ledger;
    ledger.put(key, service, client, {1, 100}, start + 1s);
    ledger.use(key, 60);
    const LiveLease& renewed = ledger.put(key, service, client, {2, 200}, start + 5s);
    EXPECT_FALSE(ledger.pop_due(start + 1s));
    EXPECT_EQ(ledger.next_expiry(), start + 5s);
    EXPECT_EQ(renewed.used, (Room{1, 60}));
}

TEST(LeaseLedgerTest, NumbersOfTwoBrokersAreApart) {
    LeaseLedger ledger;
    ledger.put({0, 7}, service, client, {1, 1}, start);
    ledger.put({1, 7}, service, client, {1, 1}, start);
    EXPECT_EQ(ledger.size(), 2U);
    EXPECT_EQ(ledger.of_broker(1), (std::vector<LeaseKey>{{1, 7}}));
}

TEST(LeaseLedgerTest, OrphansAreCountedApart) {
    LeaseLedger ledger;
    ledger.put({0, 1}, service, client, {3, 30}, start + 1s).orphaned = true;
    ledger.put({0, 2}, service, client, {5, 50}, start + 1s);
    EXPECT_EQ(ledger.orphaned_calls(service), 3U);
    EXPECT_EQ(ledger.orphaned_calls(ServiceIndex{2}), 0U);
    EXPECT_EQ(ledger.orphaned_bytes(), 30U);
}

}  // namespace
}  // namespace farm
