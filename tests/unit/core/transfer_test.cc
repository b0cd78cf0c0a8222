#include "common/core/transfer.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace farm {
namespace {

constexpr Chunking hundreds{.chunk_bytes = 100, .window_bytes = 400};

/// Tensor 1 has 250 bytes, tensor 3 has 100, tensor 4 has 30.
std::vector<LargeTensor> three() { return {{1, 250}, {3, 100}, {4, 30}}; }

IncomingTransfer granted(std::vector<LargeTensor> tensors) {
    IncomingTransfer incoming(std::move(tensors), hundreds);
    incoming.next_grant();
    return incoming;
}

std::string refusal(IncomingTransfer& incoming, std::uint16_t tensor, std::uint64_t offset,
                    std::uint64_t length) {
    const std::uint64_t before = incoming.received_bytes();
    const auto accepted = incoming.accept(tensor, offset, length);
    EXPECT_FALSE(accepted);
    EXPECT_EQ(incoming.received_bytes(), before) << "a refused chunk must change nothing";
    if (accepted) return {};
    EXPECT_EQ(accepted.error().code, ErrorCode::protocol);
    return accepted.error().message;
}

TEST(OutgoingTransferTest, SendsNothingWithoutGrant) {
    OutgoingTransfer outgoing(three(), hundreds);
    EXPECT_FALSE(outgoing.next());
    EXPECT_FALSE(outgoing.done());
}

TEST(OutgoingTransferTest, CutsAtChunksAndTensors) {
    OutgoingTransfer outgoing(three(), hundreds);
    outgoing.grant(10'000);
    EXPECT_EQ(outgoing.next(), (Piece{0, 1, 0, 100}));
    EXPECT_EQ(outgoing.next(), (Piece{0, 1, 100, 100}));
    EXPECT_EQ(outgoing.next(), (Piece{0, 1, 200, 50}));
    EXPECT_EQ(outgoing.next(), (Piece{1, 3, 0, 100}));
    EXPECT_EQ(outgoing.next(), (Piece{2, 4, 0, 30}));
    EXPECT_TRUE(outgoing.done());
    EXPECT_FALSE(outgoing.next());
}

TEST(OutgoingTransferTest, StopsAtTheGrantAndIgnoresAnOldOne) {
    OutgoingTransfer outgoing(three(), hundreds);
    outgoing.grant(120);
    EXPECT_EQ(outgoing.next(), (Piece{0, 1, 0, 100}));
    EXPECT_EQ(outgoing.next(), (Piece{0, 1, 100, 20}));
    EXPECT_FALSE(outgoing.next());
    outgoing.grant(50);
    EXPECT_FALSE(outgoing.next());
    outgoing.grant(121);
    EXPECT_EQ(outgoing.next(), (Piece{0, 1, 120, 1}));
}

TEST(OutgoingTransferTest, StopsAtWhatIsReady) {
    OutgoingTransfer outgoing(three(), hundreds);
    outgoing.grant(380);
    outgoing.set_ready(0);
    EXPECT_FALSE(outgoing.next());
    outgoing.set_ready(60);
    EXPECT_EQ(outgoing.next(), (Piece{0, 1, 0, 60}));
    EXPECT_FALSE(outgoing.next());
}

TEST(OutgoingTransferTest, AnEmptyStreamIsDone) {
    EXPECT_TRUE(OutgoingTransfer({}, hundreds).done());
    EXPECT_TRUE(OutgoingTransfer({{0, 0}}, hundreds).done());
}

TEST(IncomingTransferTest, TakesPiecesInOrderAndNamesTheFrame) {
    IncomingTransfer incoming = granted(three());
    EXPECT_EQ(*incoming.accept(1, 0, 100), 0);
    EXPECT_EQ(*incoming.accept(1, 100, 100), 0);
    EXPECT_EQ(*incoming.accept(1, 200, 50), 0);
    EXPECT_EQ(*incoming.accept(3, 0, 100), 1);
    EXPECT_FALSE(incoming.done());
    EXPECT_EQ(*incoming.accept(4, 0, 30), 2);
    EXPECT_TRUE(incoming.done());
}

TEST(IncomingTransferTest, RefusesOverlapAndDuplicate) {
    IncomingTransfer incoming = granted(three());
    ASSERT_TRUE(incoming.accept(1, 0, 100));
    EXPECT_NE(refusal(incoming, 1, 0, 100).find("here already"), std::string::npos);
    EXPECT_NE(refusal(incoming, 1, 99, 10).find("here already"), std::string::npos);
}

TEST(IncomingTransferTest, RefusesGap) {
    IncomingTransfer incoming = granted(three());
    EXPECT_NE(refusal(incoming, 1, 1, 10).find("gap"), std::string::npos);
}

TEST(IncomingTransferTest, RefusesOtherTensorsAndUnknownOnes) {
    IncomingTransfer incoming = granted(three());
    EXPECT_NE(refusal(incoming, 3, 0, 100).find("in order"), std::string::npos);
    EXPECT_NE(refusal(incoming, 0, 0, 100).find("tensor 0"), std::string::npos);
    EXPECT_NE(refusal(incoming, 65535, 0, 1).find("65535"), std::string::npos);
}

TEST(IncomingTransferTest, RefusesWhatPassesTheEndOrOverflows) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    IncomingTransfer incoming = granted({{0, 150}});
    ASSERT_TRUE(incoming.accept(0, 0, 100));
    EXPECT_NE(refusal(incoming, 0, 100, 51).find("ends at 150"), std::string::npos);
    EXPECT_NE(refusal(incoming, 0, most, 2).find("offset"), std::string::npos);
    EXPECT_NE(refusal(incoming, 0, 100, most).find("length"), std::string::npos);
}

TEST(IncomingTransferTest, RefusesEmptyAndOversizedChunks) {
    IncomingTransfer incoming = granted(three());
    EXPECT_NE(refusal(incoming, 1, 0, 0).find("length 0"), std::string::npos);
    EXPECT_NE(refusal(incoming, 1, 0, 101).find("length 101"), std::string::npos);
}

TEST(IncomingTransferTest, RefusesWhatComesAfterTheLastByte) {
    IncomingTransfer incoming = granted({{0, 100}});
    ASSERT_TRUE(incoming.accept(0, 0, 100));
    EXPECT_NE(refusal(incoming, 0, 100, 1).find("after the last"), std::string::npos);
    EXPECT_NE(refusal(incoming, 0, 0, 100).find("after the last"), std::string::npos);
}

TEST(IncomingTransferTest, RefusesWhatPassesTheGrant) {
    IncomingTransfer incoming({{0, 1000}}, hundreds);
    EXPECT_NE(refusal(incoming, 0, 0, 1).find("wait for SEND"), std::string::npos);
    EXPECT_EQ(incoming.next_grant(), 400U);
    for (std::uint64_t offset = 0; offset < 400; offset += 100) {
        ASSERT_TRUE(incoming.accept(0, offset, 100));
    }
    EXPECT_NE(refusal(incoming, 0, 400, 1).find("wait for SEND"), std::string::npos);
}

TEST(IncomingTransferTest, MovesTheGrantAtHalfAWindowAndNotBeyondTheEnd) {
    IncomingTransfer incoming({{0, 700}}, hundreds);
    EXPECT_EQ(incoming.next_grant(), 400U);
    EXPECT_FALSE(incoming.next_grant());
    ASSERT_TRUE(incoming.accept(0, 0, 100));
    EXPECT_FALSE(incoming.next_grant());
    ASSERT_TRUE(incoming.accept(0, 100, 100));
    EXPECT_EQ(incoming.next_grant(), 600U);
    ASSERT_TRUE(incoming.accept(0, 200, 100));
    ASSERT_TRUE(incoming.accept(0, 300, 100));
    EXPECT_EQ(incoming.next_grant(), 700U);
    ASSERT_TRUE(incoming.accept(0, 400, 100));
    ASSERT_TRUE(incoming.accept(0, 500, 100));
    ASSERT_TRUE(incoming.accept(0, 600, 100));
    EXPECT_FALSE(incoming.next_grant());
    EXPECT_TRUE(incoming.done());
}

TEST(TransferTest, ATensorWithinTheBoundTravelsAsOneChunk) {
    constexpr Chunking whole{.chunk_bytes = 100, .whole_bytes = 250, .window_bytes = 500};
    OutgoingTransfer outgoing({{0, 250}, {1, 240}, {2, 251}}, whole);
    IncomingTransfer incoming({{0, 250}, {1, 240}, {2, 251}}, whole);
    outgoing.grant(*incoming.next_grant());
    EXPECT_EQ(outgoing.next()->length, 250U);
    EXPECT_EQ(outgoing.next()->length, 240U);
    ASSERT_TRUE(incoming.accept(0, 0, 250));
    EXPECT_NE(refusal(incoming, 1, 0, 241).find("limits are 1 and 240"), std::string::npos);
    ASSERT_TRUE(incoming.accept(1, 0, 240));
    outgoing.grant(*incoming.next_grant());
    EXPECT_EQ(outgoing.next()->length, 100U) << "a larger one is cut";
}

TEST(TransferTest, AWholeTensorWaitsForAGrantThatHoldsIt) {
    constexpr Chunking whole{.chunk_bytes = 100, .whole_bytes = 250, .window_bytes = 500};
    OutgoingTransfer outgoing({{0, 250}}, whole);
    outgoing.grant(249);
    EXPECT_FALSE(outgoing.next());
    outgoing.grant(250);
    EXPECT_EQ(outgoing.next()->length, 250U);
}

TEST(IncomingTransferTest, AnEmptyStreamNeedsNoGrant) {
    IncomingTransfer incoming({}, hundreds);
    EXPECT_TRUE(incoming.done());
    EXPECT_FALSE(incoming.next_grant());
}

/// Both halves against each other: any tensor sizes, the stream arrives whole and never stalls.
TEST(TransferTest, EverySetOfSizesArrivesWhole) {
    std::mt19937_64 random(20261121);
    for (int round = 0; round < 500; ++round) {
        std::vector<LargeTensor> tensors;
        for (std::uint16_t i = 0; i < random() % 6; ++i) {
            tensors.push_back({static_cast<std::uint16_t>(2 * i), random() % 1500});
        }
        Chunking chunking{.chunk_bytes = 100, .window_bytes = 1 + random() % 500};
        chunking.whole_bytes = random() % (chunking.window_bytes / 2 + 1);
        OutgoingTransfer outgoing(tensors, chunking);
        IncomingTransfer incoming(tensors, chunking);
        int turns = 0;
        while (!incoming.done()) {
            ASSERT_LT(++turns, 20'000) << "stalled in round " << round;
            if (const auto grant = incoming.next_grant()) outgoing.grant(*grant);
            if (const auto piece = outgoing.next()) {
                const auto frame = incoming.accept(piece->tensor, piece->offset, piece->length);
                ASSERT_TRUE(frame) << frame.error().message;
                ASSERT_EQ(*frame, piece->frame);
            }
        }
        EXPECT_TRUE(outgoing.done());
    }
}

}  // namespace
}  // namespace farm
