// Large calls and answers, in chunks.
#include "cpu_client/core/client_machine.h"

#include "tests/unit/cpu_client/core/client_bench.h"

namespace farm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t mebibyte = 1024 * 1024;

Submit large_call(ClientBench& bench) {
    Submit submit = bench.call(1);
    submit.input_bytes = 6 * mebibyte;
    submit.large = {{0, 4 * mebibyte}, {2, 2 * mebibyte}};
    return submit;
}

TEST(ClientTransfersTest, LargeCallWaitsForBulkAndStreamsBelowTheGrant) {
    ClientBench bench;
    bench.connect();
    const Submit submit = large_call(bench);
    bench.step(submit);
    EXPECT_NE(bench.last<OpenBulk>(), nullptr);
    EXPECT_EQ(bench.sent<Call>(), nullptr);
    bench.from_broker(Attach{SessionId{7}, {}});
    ASSERT_NE(bench.sent<Call>(), nullptr);
    EXPECT_TRUE(bench.sent<Call>()->chunked);
    EXPECT_EQ(bench.sent<Call>()->streamed_bytes, 6 * mebibyte);
    EXPECT_EQ(bench.count<TransmitChunk>(), 0U);

    bench.from_broker(Send{{submit.id, 1}, 5 * mebibyte});
    EXPECT_EQ(bench.count<TransmitChunk>(), 5U);
    EXPECT_EQ(bench.last<TransmitChunk>()->tensor, 2);
    EXPECT_EQ(bench.last<TransmitChunk>()->frame, 1);
    EXPECT_EQ(bench.last<TransmitChunk>()->offset, 0U);
    bench.from_broker(Send{{submit.id, 2}, 6 * mebibyte});  // another attempt: not ours
    EXPECT_EQ(bench.count<TransmitChunk>(), 5U);
    bench.from_broker(Send{{submit.id, 1}, 100 * mebibyte});
    EXPECT_EQ(bench.count<TransmitChunk>(), 6U);
}

TEST(ClientTransfersTest, SmallCallsPassLargeOnesThatWaitForBulk) {
    ClientBench bench;
    bench.connect();
    bench.step(large_call(bench));
    bench.step(bench.call(2));
    ASSERT_NE(bench.sent<Call>(), nullptr);
    EXPECT_EQ(bench.sent<Call>()->key.id, CallId::from_words(1, 2));
}

Chunk chunk_of(ClientBench& bench, std::uint64_t offset, std::uint32_t length = mebibyte) {
    Chunk chunk;
    chunk.key = {CallId::from_words(1, 1), 1};
    chunk.tensor = 1;
    chunk.offset = offset;
    chunk.length = length;
    chunk.payload = bench.fresh_payload();
    return chunk;
}

Answer start_large_answer(ClientBench& bench) {
    bench.connect();
    bench.step(bench.call(1));
    Answer answer = bench.answer(1);
    answer.chunked = true;
    bench.answers(answer, {{1, 3 * mebibyte}});
    return answer;
}

TEST(ClientTransfersTest, LargeAnswerIsAllocatedGrantedAndStored) {
    ClientBench bench;
    const Answer answer = start_large_answer(bench);
    ASSERT_NE(bench.last<ExpectFrames>(), nullptr);
    EXPECT_EQ(bench.last<ExpectFrames>()->payload, answer.payload);
    EXPECT_EQ(bench.sent<Send>(), nullptr);  // the bulk socket is not there yet
    bench.from_broker(Attach{SessionId{7}, {}});
    ASSERT_NE(bench.sent<Send>(), nullptr);
    EXPECT_EQ(bench.sent<Send>()->granted_bytes, 3 * mebibyte);
    for (std::uint64_t i = 0; i < 3; ++i) {
        EXPECT_EQ(bench.completed(1), nullptr);
        bench.from_broker(chunk_of(bench, i * mebibyte));
    }
    EXPECT_EQ(bench.count<StoreChunk>(), 3U);
    EXPECT_EQ(bench.last<StoreChunk>()->into, answer.payload);
    ASSERT_NE(bench.completed(1), nullptr);
    EXPECT_EQ(bench.completed(1)->payload, answer.payload);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientTransfersTest, ChunksThatDoNotFitCostTheAttempt) {
    ClientBench bench;
    start_large_answer(bench);
    bench.from_broker(Attach{SessionId{7}, {}});
    bench.from_broker(chunk_of(bench, 2 * mebibyte));
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
    EXPECT_EQ(bench.held_count(), 1U);  // the inputs
}

TEST(ClientTransfersTest, WorkerThatIsLostInALargeAnswerCostsTheAttempt) {
    ClientBench bench;
    start_large_answer(bench);
    bench.from_broker(Attach{SessionId{7}, {}});
    bench.from_broker(chunk_of(bench, 0));
    bench.answers(bench.answer(1, Outcome::lost, Reason::worker_lost));
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 2);
    EXPECT_EQ(bench.held_count(), 1U);  // the inputs
}

TEST(ClientTransfersTest, BreakInALargeAnswerDropsItAndAsksAgain) {
    ClientBench bench;
    start_large_answer(bench);
    bench.from_broker(Attach{SessionId{7}, {}});
    bench.from_broker(chunk_of(bench, 0));
    bench.step(LinkLost{bench.link});
    EXPECT_EQ(bench.held_count(), 1U);
    bench.connecting = false;
    bench.connect();
    EXPECT_EQ(bench.sent_count<Call>(), 2U);
    EXPECT_EQ(bench.sent<Call>()->key.attempt, 1);
}

TEST(ClientTransfersTest, ResultAboveWhatTheCallTakesIsInvalid) {
    ClientBench bench;
    bench.connect();
    Submit submit = bench.call(1);
    submit.max_result_bytes = mebibyte;
    bench.step(submit);
    Answer answer = bench.answer(1);
    answer.chunked = true;
    bench.answers(answer, {{1, 3 * mebibyte}});
    EXPECT_EQ(bench.completed(1)->status, CallStatus::invalid);
    EXPECT_EQ(bench.count<ExpectFrames>(), 0U);
    EXPECT_EQ(bench.held_count(), 0U);
}

TEST(ClientTransfersTest, BulkSocketThatIsNeverAcceptedEndsTheSession) {
    ClientBench bench;
    bench.connect();
    bench.step(large_call(bench));
    bench.run_for(2s);
    EXPECT_EQ(bench.count<CloseLink>(), 1U);
}

TEST(ClientTransfersTest, PayloadsOfUnwantedMessagesAreDropped) {
    ClientBench bench;
    bench.connect();
    Call call;
    call.payload = bench.fresh_payload();
    bench.from_broker(call);
    bench.from_broker(chunk_of(bench, 0));
    bench.step(Received{LinkId{99}, chunk_of(bench, 0)});
    bench.from_broker(bench.answer(1));
    EXPECT_EQ(bench.held_count(), 0U);
}

}  // namespace
}  // namespace farm
