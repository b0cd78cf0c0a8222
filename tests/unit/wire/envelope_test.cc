#include "common/wire/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "schemas/limits.h"
#include "tests/unit/wire/hex.h"

namespace farm {
namespace {

Buffer block(std::size_t size, char fill = 'x') {
    return Buffer::copy_of(test::bytes_of(std::string(size, fill)));
}

Call small_call(std::uint64_t number, std::uint64_t input_bytes) {
    Call call;
    call.key = {CallId::from_words(7, number), 1};
    call.service = "gnn";
    call.input_bytes = input_bytes;
    return call;
}

Chunk chunk_of(std::uint32_t length) {
    Chunk chunk;
    chunk.key = small_call(1, 0).key;
    chunk.length = length;
    return chunk;
}

/// What a peer receives.
std::vector<Buffer> sent(EnvelopeWriter& writer) {
    std::vector<Buffer> frames;
    for (const Buffer& frame : writer.finish()) frames.push_back(frame);
    frames.front() = Buffer::copy_of(frames.front().bytes());  // it lies in the writer
    writer.clear();
    return frames;
}

std::vector<Buffer> message_of(const Message& item, const Payload* payload) {
    EnvelopeWriter writer;
    EXPECT_TRUE(writer.try_add(item, payload));
    return sent(writer);
}

Result<std::vector<Message>> opened(std::vector<Buffer> frames, PayloadStore& store,
                                    Framing framing = Framing::chunked) {
    std::vector<Message> items;
    if (auto done = open_envelope(std::move(frames), store, items, framing); !done) {
        return tl::unexpected(done.error());
    }
    return items;
}

std::string refusal(std::vector<Buffer> frames) {
    PayloadStore store;
    const auto items = opened(std::move(frames), store);
    EXPECT_FALSE(items) << "was accepted";
    EXPECT_EQ(store.count(), 0U) << "a refused message must leave nothing behind";
    return items ? std::string() : items.error().message;
}

testing::AssertionResult says(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

TEST(EnvelopeTest, ItemsWithoutBytesAreOneFrame) {
    const auto frames = message_of(Beat{}, nullptr);
    EXPECT_EQ(frames.size(), 1U);
    PayloadStore store;
    EXPECT_EQ(opened(frames, store)->front(), Message(Beat{}));
    EXPECT_EQ(store.count(), 0U);
}

TEST(EnvelopeTest, ALargeBodyAndItsFramesPassThroughUncopied) {
    const Payload payload{block(limits::joined_bytes), {block(2000), block(3000)}};
    const auto frames = message_of(small_call(1, 5010), &payload);
    ASSERT_EQ(frames.size(), 4U);
    EXPECT_EQ(frames[1].data(), payload.body.data());
    EXPECT_EQ(frames[2].data(), payload.frames[0].data());

    PayloadStore store;
    const auto items = opened(frames, store);
    ASSERT_TRUE(items) << items.error().message;
    const Call& call = std::get<Call>(items->front());
    EXPECT_EQ(call.body_bytes, limits::joined_bytes);
    EXPECT_EQ(call.frame_count, 2U);
    const Payload back = store.take(call.payload);
    EXPECT_EQ(back.body.data(), payload.body.data());
    ASSERT_EQ(back.frames.size(), 2U);
    EXPECT_EQ(back.frames[1].data(), payload.frames[1].data());
}

TEST(EnvelopeTest, CoalescedItemsGetTheirOwnShares) {
    const Payload first{block(10, 'a'), {block(2000, 'A')}};
    const Payload second{block(20, 'b'), {}};
    Answer answer;
    answer.key = small_call(3, 0).key;
    answer.output_bytes = 2010;
    const Payload third{block(30, 'c'), {block(2001, 'C')}};
    answer.output_bytes = 2001;
    EnvelopeWriter writer;
    ASSERT_TRUE(writer.try_add(small_call(1, 2000), &first));
    ASSERT_TRUE(writer.try_add(Beat{}, nullptr));
    ASSERT_TRUE(writer.try_add(small_call(2, 20), &second));
    ASSERT_TRUE(writer.try_add(answer, &third));
    const auto frames = sent(writer);
    EXPECT_TRUE(writer.empty());
    ASSERT_EQ(frames.size(), 3U);

    PayloadStore store;
    const auto items = opened(frames, store);
    ASSERT_TRUE(items) << items.error().message;
    ASSERT_EQ(items->size(), 4U);
    EXPECT_EQ(store.count(), 3U);
    const auto body = [&](PayloadId id) { return test::string_of(store.find(id)->body.bytes()); };
    EXPECT_EQ(body(std::get<Call>((*items)[0]).payload), std::string(10, 'a'));
    EXPECT_EQ(body(std::get<Call>((*items)[2]).payload), std::string(20, 'b'));
    EXPECT_EQ(body(std::get<Answer>((*items)[3]).payload), std::string(30, 'c'));
    EXPECT_EQ(store.find(std::get<Answer>((*items)[3]).payload)->frames[0].size(), 2001U);
}

TEST(EnvelopeTest, SmallBodiesStandBehindTheHeader) {
    const Payload payload{block(50), {block(2000)}};
    const auto frames = message_of(small_call(1, 2040), &payload);
    ASSERT_EQ(frames.size(), 2U);
    PayloadStore store;
    const auto items = opened(frames, store);
    ASSERT_TRUE(items) << items.error().message;
    const Payload back = store.take(std::get<Call>(items->front()).payload);
    EXPECT_EQ(test::string_of(back.body.bytes()), std::string(50, 'x'));
    EXPECT_EQ(back.frames[0].data(), payload.frames[0].data());
}

TEST(EnvelopeTest, BodiesMayComeInAFrameOfTheirOwn) {
    HeaderWriter header;
    Call call = small_call(1, 50);
    call.body_bytes = 50;
    ASSERT_TRUE(header.try_add(call));
    PayloadStore store;
    const auto items = opened({Buffer::copy_of(header.finish()), block(50)}, store);
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_EQ(store.find(std::get<Call>(items->front()).payload)->body.size(), 50U);
}

TEST(EnvelopeTest, AChunkedCallLeavesItsFramesBehind) {
    const Payload payload{block(50), {block(5'000'000)}};
    Call call = small_call(1, 5'000'000);
    call.chunked = true;
    call.frame_count = 1;
    const auto frames = message_of(call, &payload);
    ASSERT_EQ(frames.size(), 1U);
    PayloadStore store;
    const auto items = opened(frames, store);
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_EQ(std::get<Call>(items->front()).frame_count, 0);
}

TEST(EnvelopeTest, AChunkIsHeaderAndOneFrame) {
    const Payload payload{{}, {block(4096)}};
    const auto frames = message_of(chunk_of(4096), &payload);
    ASSERT_EQ(frames.size(), 2U);
    PayloadStore store;
    const auto items = opened(frames, store);
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_EQ(store.find(std::get<Chunk>(items->front()).payload)->frames[0].data(),
              payload.frames[0].data());
}

TEST(EnvelopeTest, AFailureWithoutPayloadHasNone) {
    Answer answer;
    answer.key = small_call(1, 0).key;
    answer.outcome = Outcome::not_started;
    PayloadStore store;
    const auto items = opened(message_of(answer, nullptr), store);
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_FALSE(std::get<Answer>(items->front()).payload);
}

TEST(EnvelopeTest, RefusesFramesThatItsItemsDoNotDeclare) {
    const Payload payload{block(9000), {block(2000)}};
    const auto good = message_of(small_call(1, 2000), &payload);
    EXPECT_TRUE(says(refusal({}), "0 frames"));
    EXPECT_TRUE(says(refusal({good[0]}), "1 frames (its items declare 3)"));
    EXPECT_TRUE(says(refusal({good[0], good[1]}), "declare 3"));
    EXPECT_TRUE(says(refusal({good[0], good[1], good[2], block(1)}), "4 frames"));
    EXPECT_TRUE(says(refusal({good[0], block(8999), good[2]}), "frame 1 of 8999 bytes"));
    EXPECT_TRUE(says(refusal({good[0], block(9001), good[2]}), "frame 1 of 9001 bytes"));
    EXPECT_TRUE(says(refusal({message_of(Beat{}, nullptr)[0], block(1)}), "2 frames"));
}

TEST(EnvelopeTest, RefusesBytesBehindTheHeaderThatItsItemsDoNotDeclare) {
    const Payload payload{block(50), {}};
    std::string frame = test::string_of(message_of(small_call(1, 50), &payload)[0].bytes());
    frame.pop_back();
    EXPECT_TRUE(says(refusal({Buffer::copy_of(test::bytes_of(frame))}), "49 bytes behind"));
    frame += "xx";
    EXPECT_TRUE(says(refusal({Buffer::copy_of(test::bytes_of(frame))}), "51 bytes behind"));
    EXPECT_TRUE(says(refusal({Buffer::copy_of(test::bytes_of(frame)), block(50)}), "2 frames"));
}

TEST(EnvelopeTest, RefusesDeclaredBytesThatCannotBe) {
    const Payload payload{block(50), {block(2000)}};
    EXPECT_TRUE(says(refusal(message_of(small_call(1, 1999), &payload)), "CALL.input_bytes 1999"));
    EXPECT_TRUE(says(refusal(message_of(small_call(1, 2051), &payload)), "2000 to 2050"));
}

TEST(EnvelopeTest, RefusesAChunkOfAnotherLength) {
    const Payload payload{{}, {block(4096)}};
    const auto good = message_of(chunk_of(4096), &payload);
    EXPECT_TRUE(says(refusal({good[0], block(4095)}), "length 4096"));
    EXPECT_TRUE(says(refusal({good[0]}), "1 frames"));
}

TEST(EnvelopeTest, RefusesTooManyAndTooLargeFrames) {
    const Buffer header = message_of(Beat{}, nullptr)[0];
    std::vector<Buffer> many(limits::frame_count + 1);
    many[0] = header;
    EXPECT_TRUE(says(refusal(many), "257 frames"));
    EXPECT_TRUE(says(refusal({header, block(limits::frame_bytes + 1)}), "2097153 bytes"));
}

TEST(EnvelopeTest, OneBadItemLeavesNothingInTheStore) {
    const Payload payload{block(50), {}};
    EnvelopeWriter writer;
    ASSERT_TRUE(writer.try_add(small_call(1, 50), &payload));
    ASSERT_TRUE(writer.try_add(small_call(2, 51), &payload));
    EXPECT_TRUE(says(refusal(sent(writer)), "CALL.input_bytes 51"));
}

TEST(EnvelopeWriterTest, StopsAtTheBodyLimit) {
    const Payload payload{block(400'000), {}};
    EnvelopeWriter writer;
    EXPECT_TRUE(writer.try_add(small_call(1, 1000), &payload));
    EXPECT_TRUE(writer.try_add(small_call(2, 1000), &payload));
    EXPECT_FALSE(writer.try_add(small_call(3, 1000), &payload));
    EXPECT_EQ(writer.item_count(), 2U);
    PayloadStore store;
    EXPECT_TRUE(opened(sent(writer), store));
}

TEST(EnvelopeWriterTest, StopsAtTheFrameLimit) {
    Payload payload{block(10), {}};
    payload.frames.assign(limits::tensor_count, block(1025));
    EnvelopeWriter writer;
    std::uint64_t count = 0;
    while (writer.try_add(small_call(++count, 64 * 1025), &payload)) {
    }
    const auto frames = sent(writer);
    EXPECT_EQ(frames.size(), 1 + 3 * limits::tensor_count);
    PayloadStore store;
    EXPECT_TRUE(opened(frames, store));
}

TEST(EnvelopeWriterTest, NeverTakesAFrameThatTheSocketRefuses) {
    const Payload payload{block(10), {block(limits::frame_bytes + 1)}};
    EnvelopeWriter writer;
    EXPECT_FALSE(writer.try_add(small_call(1, 1), &payload));
    EXPECT_TRUE(writer.empty());
}

TEST(EnvelopeWriterTest, IsEmptyAgainAfterClear) {
    const Payload payload{block(10, 'a'), {block(2000)}};
    EnvelopeWriter writer;
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(writer.try_add(small_call(1, 2000), &payload));
        const auto frames = sent(writer);
        ASSERT_EQ(frames.size(), 2U);
        PayloadStore store;
        EXPECT_TRUE(opened(frames, store));
    }
}

// ---- framing ----------------------------------------------------------------------------------

TEST(EnvelopeFramingTest, BetweenClientAndWorkerACallTravelsWholeUpToALargeFrame) {
    const auto frames_of = [](std::uint64_t bytes) {
        const Payload payload{block(50), {block(bytes)}};
        EnvelopeWriter writer;
        EXPECT_TRUE(writer.try_add(small_call(1, bytes), &payload, Framing::whole));
        return sent(writer);
    };
    PayloadStore store;
    const auto largest = frames_of(limits::direct_frame_bytes);
    EXPECT_TRUE(opened(largest, store, Framing::direct));
    EXPECT_FALSE(opened(largest, store, Framing::chunked)) << "a broker takes it in chunks only";
    EXPECT_FALSE(opened(frames_of(limits::direct_frame_bytes + 1), store, Framing::direct));
}

TEST(EnvelopeFramingTest, ManyFramesMayNotPassTheLimitTogether) {
    Payload payload{block(50), {}};
    payload.frames.assign(2, block(limits::direct_frame_bytes / 2 + 1));
    const std::uint64_t bytes = limits::direct_frame_bytes + 2;
    EnvelopeWriter writer;
    ASSERT_TRUE(writer.try_add(small_call(1, bytes), &payload, Framing::whole));
    PayloadStore store;
    const auto items = opened(sent(writer), store, Framing::direct);
    ASSERT_FALSE(items);
    EXPECT_TRUE(says(items.error().message, "direct_frame_bytes, 16777216"));
    EXPECT_EQ(store.count(), 0U);
}

TEST(EnvelopeFramingTest, WithoutChunksACallTravelsWholeWhateverItsSize) {
    const Payload payload{block(50), {block(limits::direct_frame_bytes + 1)}};
    const Call call = small_call(1, limits::direct_frame_bytes + 1);
    EnvelopeWriter writer;
    EXPECT_FALSE(writer.try_add(call, &payload));
    ASSERT_TRUE(writer.try_add(call, &payload, Framing::whole));
    const auto frames = sent(writer);
    EXPECT_TRUE(says(refusal(frames), "frame 1"));
    PayloadStore store;
    const auto items = opened(frames, store, Framing::whole);
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_EQ(store.count(), 1U);
}

TEST(EnvelopeFramingTest, ALargeCallThatIsNotChunkedIsRefusedElsewhere) {
    const Payload payload{block(50), {block(limits::small_call_bytes + 1)}};
    EXPECT_TRUE(says(refusal(message_of(small_call(1, limits::small_call_bytes + 1), &payload)),
                     "small_call_bytes"));
}

TEST(EnvelopeFramingTest, WhatIsOfChunksIsRefusedWhereThereAreNone) {
    const auto refuses = [](const Message& item, const Payload* payload) {
        PayloadStore store;
        const auto items = opened(message_of(item, payload), store, Framing::whole);
        return !items && store.count() == 0;
    };
    Call chunked = small_call(1, 5'000'000);
    chunked.chunked = true;
    chunked.streamed_bytes = 5'000'000;
    const Payload body{block(50), {}};
    const Payload piece{{}, {block(10)}};
    EXPECT_TRUE(refuses(chunked, &body));
    EXPECT_TRUE(refuses(chunk_of(10), &piece));
    EXPECT_TRUE(refuses(Send{chunked.key, 10}, nullptr));
    EXPECT_TRUE(refuses(Attach{SessionId{1}, Secret::from_words(1, 1)}, nullptr));
    EXPECT_FALSE(refuses(Beat{}, nullptr));
}

}  // namespace
}  // namespace farm
