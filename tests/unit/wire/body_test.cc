#include "common/wire/body.h"

#include <gtest/gtest.h>

#include "schemas/limits.h"
#include "tests/unit/wire/hex.h"

namespace farm {
namespace {

using test::bytes_of;
using test::from_hex;

Tensor tensor(const std::string& name, std::int64_t bytes) {
    MutableBuffer data(static_cast<std::size_t>(bytes));
    for (std::size_t i = 0; i < data.size(); ++i) data.data()[i] = static_cast<std::byte>(i % 251);
    return {{name, dtype::u8, {bytes}}, std::move(data).freeze()};
}

std::string refusal(const std::string& hex) {
    const auto body = decode_call_body(Buffer::copy_of(bytes_of(from_hex(hex))));
    EXPECT_FALSE(body) << "was accepted";
    return body ? std::string() : body.error().message;
}

testing::AssertionResult says(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

/// A body with one tensor "x".
std::string one(const std::string& rest_hex) { return "81 00 91 96 a1 78" + rest_hex; }

TEST(PackTest, PlacesTensorsByTheInlineRule) {
    const std::vector<Tensor> tensors{tensor("small", 1024), tensor("large", 1025),
                                      tensor("empty", 0)};
    const auto payload = pack_call(tensors);
    ASSERT_TRUE(payload) << payload.error().message;
    ASSERT_EQ(payload->frames.size(), 1U);
    EXPECT_EQ(payload->frames[0].data(), tensors[1].data.data()) << "frames are not copied";
    const auto body = decode_call_body(payload->body);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(large_tensors(body->tensors), (std::vector<LargeTensor>{{1, 1025}}));
    EXPECT_EQ(tensor_bytes(body->tensors), 2049U);
    EXPECT_EQ(tensor_bytes(tensors), 2049U);
}

TEST(PackTest, TensorsComeBackWithoutCopies) {
    const std::vector<Tensor> tensors{tensor("small", 3), tensor("large", 5000)};
    const auto payload = pack_call(tensors);
    const auto back = unpack_call(*payload);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ((*back)[i].desc, tensors[i].desc);
        EXPECT_TRUE(std::ranges::equal((*back)[i].data.bytes(), tensors[i].data.bytes()));
    }
    EXPECT_GT((*back)[0].data.data(), payload->body.data());
    EXPECT_LT((*back)[0].data.data(), payload->body.data() + payload->body.size());
    EXPECT_EQ((*back)[1].data.data(), payload->frames[0].data());
}

TEST(PackTest, AnswersSayWhoMadeThem) {
    Provenance made_by{"node7", "gnn", 3, {}};
    made_by.hash.bytes.fill(7);
    const std::vector<Tensor> tensors{tensor("score", 4)};
    const auto answer = unpack_answer(*pack_answer(tensors, made_by));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->made_by, made_by);
    EXPECT_EQ(answer->tensors.size(), 1U);
}

TEST(PackTest, ACallWithoutTensorsHasABody) {
    const auto payload = pack_call({});
    EXPECT_EQ(payload->body.size(), 1U);
    EXPECT_TRUE(decode_call_body(payload->body)->tensors.empty());
}

TEST(PackTest, RefusesWhatDoesNotMatchItsDescription) {
    Tensor wrong = tensor("x", 8);
    wrong.desc.shape = {9};
    EXPECT_TRUE(says(pack_call(std::span(&wrong, 1)).error().message, "has 8 bytes"));
    wrong = tensor("", 8);
    EXPECT_TRUE(says(pack_call(std::span(&wrong, 1)).error().message, "bad name"));
    EXPECT_EQ(pack_call(std::vector<Tensor>(65, tensor("x", 1))).error().code,
              ErrorCode::too_large);
}

TEST(UnpackTest, RefusesMissingExtraAndWrongFrames) {
    const std::vector<Tensor> tensors{tensor("large", 5000)};
    const auto payload = pack_call(tensors);
    const Buffer frame = payload->frames[0];
    const auto problem_with = [&](std::vector<Buffer> frames) {
        return unpack_call({payload->body, std::move(frames)}).error().message;
    };
    EXPECT_TRUE(says(problem_with({}), "0 frames"));
    EXPECT_TRUE(says(problem_with({frame, frame}), "2 frames"));
    EXPECT_TRUE(says(problem_with({frame.slice(0, 4999)}), "4999 bytes"));
}

TEST(BodyTest, RefusesWhatIsNoBody) {
    EXPECT_TRUE(says(refusal(""), "body"));
    EXPECT_TRUE(says(refusal("c0"), "must be a map"));
    EXPECT_TRUE(says(refusal("81 00 91 c0"), "tensors[0] is nil"));
    EXPECT_TRUE(says(refusal("81 01 a1 78"), "key 1"));
    EXPECT_TRUE(says(refusal("80 80"), "behind its end"));
    EXPECT_TRUE(says(refusal("81 00 dd 0000ffff"), "65535"));
}

TEST(BodyTest, RefusesBadDescriptors) {
    EXPECT_TRUE(says(refusal(one("02 20 01 91 ff c4 00")), "[-1]"));
    EXPECT_TRUE(says(refusal(one("02 20 01 91 fe c4 00")), "-2"));
    EXPECT_TRUE(says(refusal(one("02 00 01 90 c4 00")), "float0"));
    EXPECT_TRUE(says(refusal(one("02 20 04 90 c4 00")), "float32x4"));
    EXPECT_TRUE(says(refusal(one("63 20 01 90 c4 00")), "code99_32"));
    EXPECT_TRUE(says(refusal(one("cd 0100 20 01 90 c4 00")), "is 256"));
    EXPECT_TRUE(says(refusal(one("01 08 01 dc 0011" + std::string(34, '0') + "c4 00")), "17"));
    EXPECT_TRUE(says(refusal("81 00 91 96 a0 01 08 01 90 c4 01 00"), "empty"));
    EXPECT_TRUE(says(refusal("81 00 91 96 a1 ff 01 08 01 90 c4 01 00"), "UTF-8"));
    EXPECT_TRUE(
        says(refusal("81 00 92 96 a1 78 01 08 01 90 c4 01 00 96 a1 78 01 08 01 90 c4 01 00"),
             "the name 'x' twice"));
}

TEST(BodyTest, RefusesSizesThatOverflow) {
    const std::string two_32 = "cf 0000000100000000";
    EXPECT_TRUE(says(refusal(one("01 08 01 92" + two_32 + two_32 + "c0")), "4294967296 bytes"));
    EXPECT_TRUE(says(refusal(one("01 08 01 91 cf ffffffffffffffff c0")), "18446744073709551615"));
}

TEST(BodyTest, RefusesBytesThatDoNotMatchTheShape) {
    EXPECT_TRUE(says(refusal(one("01 08 01 91 03 c4 02 0000")), "2 inline bytes"));
    EXPECT_TRUE(says(refusal(one("01 08 01 91 03 c0")), "not inlined"));
    EXPECT_TRUE(says(refusal(one("01 08 01 91 cd 0401 c4 00")), "inlined"));
    EXPECT_TRUE(says(refusal(one("01 08 01 91 03 a3 000000")), "a string"));
}

TEST(BodyTest, RefusesTooManyTensors) {
    EXPECT_TRUE(says(refusal("81 00 dc 0041" + std::string(130, '0')), "65 entries"));
    EXPECT_TRUE(says(refusal("81 00 dc 2710" + std::string(20'000, '0')), "array of 10000"));
}

TEST(BodyTest, RefusesCallsThatAreTooLargeTogether) {
    const std::string tensor_3_gib = " 01 08 01 91 ce c0000000 c0";
    EXPECT_TRUE(says(refusal("81 00 92 96 a1 61" + tensor_3_gib + "96 a1 62" + tensor_3_gib),
                     "bytes together"));
}

}  // namespace
}  // namespace farm
