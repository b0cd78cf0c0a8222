#include <gtest/gtest.h>

#include <set>

#include "common/wire/body.h"
#include "common/wire/header.h"
#include "tests/unit/wire/hex.h"
#include "tests/unit/wire/specimens.h"

namespace farm::test {
namespace {

class GoldenTest : public testing::TestWithParam<Specimen> {};

TEST_P(GoldenTest, EncodesToThePinnedBytes) {
    HeaderWriter writer;
    for (const Message& item : GetParam().items) ASSERT_TRUE(writer.try_add(item));
    const Bytes bytes = writer.finish();
    EXPECT_EQ(to_hex(bytes), to_hex(bytes_of(golden(GetParam().name, bytes))));
}

TEST_P(GoldenTest, DecodesFromThePinnedBytes) {
    std::vector<Message> items;
    const auto size = decode_header(bytes_of(golden(GetParam().name, {})), items);
    ASSERT_TRUE(size) << size.error().message;
    EXPECT_EQ(items, GetParam().items);
}

TEST_P(GoldenTest, EveryTruncationIsRefused) {
    const std::string whole = golden(GetParam().name, {});
    std::vector<Message> items;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto size = decode_header(bytes_of(std::string_view(whole).substr(0, length)), items);
        ASSERT_FALSE(size) << length;
        EXPECT_EQ(size.error().code, ErrorCode::protocol);
    }
}

INSTANTIATE_TEST_SUITE_P(Verbs, GoldenTest, testing::ValuesIn(specimens()),
                         [](const auto& test) { return test.param.name; });

TEST(GoldenSetTest, CoversEveryVerb) {
    std::set<std::size_t> verbs;
    for (const Specimen& specimen : specimens()) {
        for (const Message& item : specimen.items) verbs.insert(item.index());
    }
    EXPECT_EQ(verbs.size(), std::variant_size_v<Message>);
}

TEST(GoldenSetTest, AUsualCallIsShort) {
    EXPECT_LT(golden("call_usual", {}).size(), 80U);
    EXPECT_LT(golden("result_usual", {}).size(), 80U);
}

TEST(GoldenBodyTest, CallBodyBothWays) {
    const Buffer bytes = encode_body(call_body_specimen());
    const std::string pinned = golden("body_call", bytes.bytes());
    EXPECT_EQ(to_hex(bytes.bytes()), to_hex(bytes_of(pinned)));
    const auto body = decode_call_body(Buffer::copy_of(bytes_of(pinned)));
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(to_hex(encode_body(*body).bytes()), to_hex(bytes_of(pinned)));
    EXPECT_EQ(body->tensors[1].desc, call_body_specimen().tensors[1].desc);
}

TEST(GoldenBodyTest, AnswerBodyBothWays) {
    const Buffer bytes = encode_body(answer_body_specimen());
    const std::string pinned = golden("body_result", bytes.bytes());
    EXPECT_EQ(to_hex(bytes.bytes()), to_hex(bytes_of(pinned)));
    const auto body = decode_answer_body(Buffer::copy_of(bytes_of(pinned)));
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->made_by, answer_body_specimen().made_by);
    EXPECT_EQ(to_hex(encode_body(*body).bytes()), to_hex(bytes_of(pinned)));
}

}  // namespace
}  // namespace farm::test
