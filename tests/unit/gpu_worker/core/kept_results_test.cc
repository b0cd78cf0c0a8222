#include "gpu_worker/core/kept_results.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

using namespace std::chrono_literals;

const TimePoint start{1h};

CallKey key(std::uint64_t number) { return {CallId::from_words(1, number), 1}; }

KeptResult result(std::uint64_t number, Outcome outcome = Outcome::ok, std::uint64_t bytes = 10) {
    KeptResult kept;
    kept.answer.key = key(number);
    kept.answer.outcome = outcome;
    kept.answer.payload = PayloadId{number};
    kept.answer.output_bytes = bytes;
    kept.expires = start + 1min;
    return kept;
}

KeptResult streamed(std::uint64_t number, std::uint64_t bytes = 2 << 20) {
    KeptResult kept = result(number, Outcome::ok, bytes);
    kept.answer.chunked = true;
    kept.large = {{0, bytes}};
    return kept;
}

using Payloads = std::vector<PayloadId>;

TEST(KeptResultsTest, AnAcknowledgedResultIsReleasedWithAllBeforeIt) {
    KeptResults kept(1);
    EXPECT_EQ(kept.deliver(kept.add(result(1)), 0).sequence, 1U);
    EXPECT_EQ(kept.deliver(kept.add(result(2)), 0).sequence, 2U);
    EXPECT_EQ(kept.deliver(kept.add(result(3)), 0).sequence, 3U);
    kept.acknowledge(0, 2);
    EXPECT_EQ(kept.take_released(), (Payloads{{1}, {2}}));
    EXPECT_EQ(kept.unacknowledged(0), std::vector<CallKey>{key(3)});
}

TEST(KeptResultsTest, AResultForTwoBrokersWaitsForBoth) {
    KeptResults kept(2);
    const auto id = kept.add(result(1));
    kept.deliver(id, 0);
    kept.deliver(id, 1);
    kept.acknowledge(0, 1);
    EXPECT_TRUE(kept.take_released().empty());
    kept.acknowledge(1, 1);
    EXPECT_EQ(kept.take_released(), Payloads{{1}});
}

TEST(KeptResultsTest, ResumeSendsAgainWhatTheBrokerKnowsUnderTheOldSequence) {
    KeptResults kept(1);
    for (std::uint64_t i = 1; i <= 3; ++i) kept.deliver(kept.add(result(i)), 0);
    kept.detach(0);
    const auto again = kept.resume(0, {key(2), key(3)});
    ASSERT_EQ(again.size(), 2U);
    EXPECT_EQ(again[0].key, key(2));
    EXPECT_EQ(again[0].sequence, 2U);
    EXPECT_EQ(again[1].sequence, 3U);
    EXPECT_TRUE(kept.find_started(key(1))) << "the client may ask for it through another broker";
}

TEST(KeptResultsTest, AForgottenResultIsKeptForTheClientOnlyIfItRan) {
    KeptResults kept(1);
    kept.deliver(kept.add(result(1)), 0);
    kept.deliver(kept.add(result(2, Outcome::not_started)), 0);
    kept.forget(0);
    EXPECT_TRUE(kept.find_started(key(1)));
    EXPECT_FALSE(kept.find_started(key(2)));
    EXPECT_EQ(kept.take_released(), Payloads{{2}});
    kept.expire(start + 1min);
    EXPECT_EQ(kept.take_released(), Payloads{{1}});
    EXPECT_EQ(kept.size(), 0U);
}

TEST(KeptResultsTest, AStreamedResultOutlivesItsAcknowledgement) {
    KeptResults kept(1);
    kept.deliver(kept.add(streamed(1)), 0);
    kept.acknowledge(0, 1);
    OutgoingTransfer* stream = kept.stream(0, key(1));
    ASSERT_NE(stream, nullptr);
    EXPECT_EQ(kept.payload(0, key(1)), PayloadId{1});
    EXPECT_EQ(kept.streaming_bytes(), 2U << 20);
    stream->grant(2 << 20);
    while (stream->next()) {
    }
    kept.stream_finished(0, key(1));
    EXPECT_EQ(kept.take_released(), Payloads{{1}});
}

TEST(KeptResultsTest, ABreakEndsAStreamWhoseResultWasAcknowledgedAndRestartsTheOthers) {
    KeptResults kept(1);
    kept.deliver(kept.add(streamed(1)), 0);
    kept.deliver(kept.add(streamed(2)), 0);
    kept.acknowledge(0, 1);
    kept.stream(0, key(2))->grant(1 << 20);
    kept.stream(0, key(2))->next();
    kept.detach(0);
    EXPECT_EQ(kept.resume(0, {key(2)}).size(), 1U);
    EXPECT_EQ(kept.stream(0, key(1)), nullptr);
    ASSERT_NE(kept.stream(0, key(2)), nullptr);
    EXPECT_EQ(kept.stream(0, key(2))->sent_bytes(), 0U);
}

TEST(KeptResultsTest, CancelEndsAStream) {
    KeptResults kept(1);
    kept.deliver(kept.add(streamed(1)), 0);
    kept.cancel(0, key(1).id);
    EXPECT_EQ(kept.stream(0, key(1)), nullptr);
    kept.acknowledge(0, 1);
    EXPECT_EQ(kept.size(), 0U);
}

TEST(KeptResultsTest, TheOldestGoWhenThereAreTooMany) {
    KeptResults kept(1);
    const std::size_t extra = 3;
    for (std::uint64_t i = 1; i <= limits::kept_result_count + extra; ++i) {
        kept.deliver(kept.add(result(i)), 0);
    }
    EXPECT_EQ(kept.enforce_limits(), extra);
    EXPECT_EQ(kept.size(), limits::kept_result_count);
    EXPECT_EQ(kept.take_released(), (Payloads{{1}, {2}, {3}}));
    EXPECT_EQ(kept.unacknowledged(0).front(), key(4));
}

TEST(KeptResultsTest, TheByteLimitSparesStreamsAndTheNewest) {
    KeptResults kept(1);
    kept.deliver(kept.add(streamed(1, limits::kept_result_bytes)), 0);
    kept.deliver(kept.add(result(2, Outcome::ok, limits::small_call_bytes)), 0);
    kept.deliver(kept.add(result(3, Outcome::ok, limits::small_call_bytes)), 0);
    EXPECT_EQ(kept.enforce_limits(), 1U);
    EXPECT_EQ(kept.take_released(), Payloads{{2}});
    EXPECT_NE(kept.stream(0, key(1)), nullptr);
}

}  // namespace
}  // namespace farm
