#include "common/wire/packet.h"

#include <gtest/gtest.h>

#include "schemas/limits.h"
#include "tests/unit/wire/hex.h"

namespace farm {
namespace {

using Place = PacketFrame::Place;

PacketFrame inlined(std::string_view text) {
    PacketFrame frame;
    frame.size_bytes = text.size();
    frame.bytes = test::bytes_of(text);
    return frame;
}

PacketFrame placed(Place place, std::uint32_t region, std::uint64_t loan, std::uint64_t offset,
                   std::uint64_t size) {
    return {place, region, loan, offset, size, {}};
}

std::string refusal(const std::string& hex) {
    const std::string bytes = test::from_hex(hex);
    const auto packet = decode_packet(test::bytes_of(bytes));
    EXPECT_FALSE(packet) << hex << " was accepted";
    return packet ? std::string() : packet.error().message;
}

testing::AssertionResult says(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

MessagePacket specimen() {
    MessagePacket packet;
    packet.frames = {inlined("head"), placed(Place::lent, 2, 7, 4096, 1 << 20),
                     placed(Place::own, 0, 5, 64, 100'000), inlined("!")};
    packet.returns = {3, 258};
    return packet;
}

TEST(PacketTest, AMessageIsPinnedInBytes) {
    const std::string bytes = encode_packet(specimen());
    EXPECT_EQ(test::to_hex(test::bytes_of(bytes)),
              test::to_hex(test::bytes_of(test::golden("packet_message", test::bytes_of(bytes)))));
}

TEST(PacketTest, NewsOfRegionsArePinnedInBytes) {
    EXPECT_EQ(encode_packet(RegionPacket{2, 64 << 20}),
              test::from_hex("45 46 01 01  02000000  0000000400000000"));
    EXPECT_EQ(encode_packet(RegionGonePacket{2}), test::from_hex("45 46 01 02  02000000"));
}

TEST(PacketTest, AMessageComesBackAsItWas) {
    const std::string bytes = encode_packet(specimen());
    const auto packet = decode_packet(test::bytes_of(bytes));
    ASSERT_TRUE(packet) << packet.error().message;
    const auto& message = std::get<MessagePacket>(*packet);
    EXPECT_EQ(message.returns, specimen().returns);
    ASSERT_EQ(message.frames.size(), 4U);
    EXPECT_EQ(test::string_of(message.frames[0].bytes), "head");
    EXPECT_EQ(message.frames[1].region, 2U);
    EXPECT_EQ(message.frames[1].loan, 7U);
    EXPECT_EQ(message.frames[1].offset, 4096U);
    EXPECT_EQ(message.frames[2].place, Place::own);
    EXPECT_EQ(message.frames[2].size_bytes, 100'000U);
    EXPECT_EQ(test::string_of(message.frames[3].bytes), "!");
    EXPECT_EQ(encode_packet(*packet), bytes);
}

TEST(PacketTest, TheLongestPacketFits) {
    MessagePacket packet;
    const std::string text(limits::packet_inline_bytes, 'x');
    packet.frames.assign(limits::frame_count - 1, placed(Place::lent, 1, 1, 0, 1));
    packet.frames.push_back(inlined(text));
    packet.returns.assign(limits::packet_return_count, 1);
    EXPECT_LE(encode_packet(packet).size(), limits::packet_bytes);
}

TEST(PacketTest, EveryCutIsRefused) {
    const std::string bytes = encode_packet(specimen());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_packet(test::bytes_of(bytes.substr(0, size)))) << size;
    }
    EXPECT_FALSE(decode_packet(test::bytes_of(bytes + "x")));
}

TEST(PacketTest, RefusesWhatIsNoPacketOfThisVersion) {
    EXPECT_TRUE(says(refusal("45 47 01 00 0000 0000"), "\"EF\" and version 1"));
    EXPECT_TRUE(says(refusal("45 46 02 00 0000 0000"), "\"EF\" and version 1"));
    EXPECT_TRUE(says(refusal("45 46 01 03 0000 0000"), "kind 3 (the limit is 2)"));
}

TEST(PacketTest, RefusesCountsAboveTheLimits) {
    EXPECT_TRUE(says(refusal("45 46 01 00 0101 0000"), "257 frames"));
    EXPECT_TRUE(says(refusal("45 46 01 00 0000 0104"), "1025 returns"));
}

TEST(PacketTest, RefusesFramesThatCannotBe) {
    const auto frame = [](const std::string& fields) {
        return refusal("45 46 01 00 0100 0000 " + fields);
    };
    EXPECT_TRUE(says(frame("03000000 00000000 0100000000000000 0000000000000000 0100000000000000"),
                     "place 3 (the limit is 2)"));
    EXPECT_TRUE(says(frame("01000000 00000000 0100000000000000 0000000000000000 0100000000000000"),
                     "region 0 (only what is lent has one)"));
    EXPECT_TRUE(says(frame("02000000 01000000 0100000000000000 0000000000000000 0100000000000000"),
                     "region 1 (only what is lent has one)"));
    EXPECT_TRUE(says(frame("02000000 00000000 0000000000000000 0000000000000000 0100000000000000"),
                     "loan 0 (only what is inlined has none)"));
    EXPECT_TRUE(says(frame("01000000 01000000 0100000000000000 ffffffffffffffff 0100000000000000"),
                     "at offset 18446744073709551615"));
    EXPECT_TRUE(says(frame("01000000 01000000 0100000000000000 0000000000000000 ffffffffffffffff"),
                     "of 18446744073709551615 bytes (the limit is 4294967296)"));
    EXPECT_TRUE(says(frame("00000000 00000000 0000000000000000 0100000000000000 0000000000000000"),
                     "inlined at an offset"));
}

TEST(PacketTest, RefusesRegionsWithoutNumberOrSize) {
    EXPECT_TRUE(says(refusal("45 46 01 01 00000000 0010000000000000"), "region 0"));
    EXPECT_TRUE(says(refusal("45 46 01 01 01000000 0000000000000000"), "of 0 bytes"));
    EXPECT_TRUE(says(refusal("45 46 01 01 01000000 ffffffffffffffff"), "sizes end at"));
}

}  // namespace
}  // namespace farm
