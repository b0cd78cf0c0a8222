#include "common/wire/header.h"

#include <gtest/gtest.h>

#include "common/wire/field_writer.h"
#include "schemas/limits.h"
#include "tests/unit/wire/hex.h"

namespace farm {
namespace {

using test::bytes_of;
using test::from_hex;

constexpr auto one_item = "93 a2 45 46 01";
const std::string some_key = "c4 11 000102030405060708090a0b0c0d0e0f 01";

Result<std::vector<Message>> decoded(const std::string& bytes) {
    std::vector<Message> items;
    const auto size = decode_header(bytes_of(bytes), items);
    if (!size) return tl::unexpected(size.error());
    EXPECT_EQ(*size, bytes.size());
    return items;
}

/// Decodes hex and returns the error text, which must name what is wrong.
std::string refusal(const std::string& bytes) {
    const auto items = decoded(bytes);
    EXPECT_FALSE(items) << "was accepted";
    if (items) return {};
    EXPECT_EQ(items.error().code, ErrorCode::protocol);
    return items.error().message;
}

std::string refusal_of_item(const std::string& item_hex) {
    return refusal(from_hex(one_item + item_hex));
}

testing::AssertionResult says(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

Message only_item(const std::string& item_hex) {
    const auto items = decoded(from_hex(one_item + item_hex));
    EXPECT_TRUE(items) << (items ? "" : items.error().message);
    return items && items->size() == 1 ? items->front() : Message();
}

std::string call_with(const std::string& more_fields_hex, int field_count) {
    std::string text = "92 09 8" + std::to_string(2 + field_count);
    return text + " 00 " + some_key + " 01 a3 676e6e " + more_fields_hex;
}

// ---- the frame --------------------------------------------------------------------------------

TEST(HeaderTest, RefusesWhatIsNoHeader) {
    EXPECT_TRUE(says(refusal(""), "header"));
    EXPECT_TRUE(says(refusal(from_hex("c1")), "starts no msgpack value"));
    EXPECT_TRUE(says(refusal("GET / HTTP/1.1\r\n\r\n"), "is a number of 0"));
    EXPECT_TRUE(says(refusal(from_hex("90")), "array"));
    EXPECT_TRUE(says(refusal(from_hex("92 a2 4546 a1 31")), "version"));
    EXPECT_TRUE(says(refusal(from_hex("93 a2 4547 01 92 08 80")), "\"EF\""));
}

TEST(HeaderTest, EndsBeforeWhatStandsBehindIt) {
    const std::string header = from_hex("93 a2 45 46 01 92 08 80");
    std::vector<Message> items{Beat{}, Beat{}};  // of another message
    const auto size = decode_header(bytes_of(header + "bodies"), items);
    ASSERT_TRUE(size) << size.error().message;
    EXPECT_EQ(*size, header.size());
    EXPECT_EQ(items, std::vector<Message>{Beat{}});
}

TEST(HeaderTest, RefusesAnotherVersionAndNamesBoth) {
    const std::string frame = from_hex("93 a2 4546 02 92 08 80");
    EXPECT_TRUE(says(refusal(frame), "version 2 (this is version 1)"));
    EXPECT_EQ(header_version(bytes_of(frame)), 2);
    EXPECT_EQ(header_version(bytes_of(from_hex("93 a2 4547 02 92 08 80"))), std::nullopt);
    EXPECT_EQ(header_version({}), std::nullopt);
}

TEST(HeaderTest, RefusesAnEmptyMessageAndTooManyItems) {
    EXPECT_TRUE(says(refusal(from_hex("92 a2 4546 01")), "0 items"));
    std::string frame = from_hex("dc 0103 a2 4546 01");
    for (int i = 0; i < 257; ++i) frame += from_hex("92 08 80");
    EXPECT_TRUE(says(refusal(frame), "257 items"));
}

TEST(HeaderTest, RefusesAFrameAboveTheLimit) {
    EXPECT_TRUE(says(refusal(std::string(limits::header_bytes + 1, '\xc0')), "65537"));
}

TEST(HeaderTest, RefusesUnknownVerbsAndMalformedItems) {
    EXPECT_TRUE(says(refusal_of_item("92 16 80"), "verb 22"));
    EXPECT_TRUE(says(refusal_of_item("92 ff 80"), "negative"));
    EXPECT_TRUE(says(refusal_of_item("92 cf ffffffffffffffff 80"), "18446744073709551615"));
    EXPECT_TRUE(says(refusal_of_item("93 08 80 80"), "array of 3"));
    EXPECT_TRUE(says(refusal_of_item("c0"), "nil"));
    EXPECT_TRUE(says(refusal_of_item("92 08 90"), "BEAT is an array"));
}

// ---- msgpack bombs ----------------------------------------------------------------------------

TEST(HeaderTest, RefusesClaimedSizesBeforeTakingMemory) {
    EXPECT_TRUE(says(refusal(from_hex("dd ffffffff")), "array of 4294967295"));
    EXPECT_TRUE(says(refusal(from_hex("df ffffffff")), "map of 4294967295"));
    EXPECT_TRUE(says(refusal(from_hex("db ffffffff")), "end inside a value"));
    EXPECT_TRUE(says(refusal(from_hex("c6 ffffffff")), "end inside a value"));
    EXPECT_TRUE(says(refusal(from_hex("c9 ffffffff")), "extension"));
    EXPECT_TRUE(says(refusal(from_hex("d4 01 00")), "extension"));
}

TEST(HeaderTest, RefusesDeepNesting) {
    EXPECT_TRUE(says(refusal(std::string(60'000, '\x91')), "nesting than the limit of 8"));
    EXPECT_TRUE(says(refusal(std::string(9, '\x91') + '\xc0'), "nesting"));
}

TEST(HeaderTest, RefusesNestedClaimsByTheirSum) {
    std::string frame;
    for (int i = 0; i < 8; ++i) frame += from_hex("dc 1000");
    EXPECT_TRUE(says(refusal(frame), "end inside"));
    frame = from_hex("98");
    for (int i = 0; i < 8; ++i) frame += from_hex("dc 1000") + std::string(4096, '\xc0');
    EXPECT_TRUE(says(refusal(frame), "more elements than the limit of 32768"));
}

TEST(HeaderTest, RefusesLongStrings) {
    std::string frame = from_hex(std::string(one_item) + "92 04 81 00 da 1001");
    EXPECT_TRUE(says(refusal(frame + std::string(4097, 'x')), "string of 4097"));
}

// ---- keys -------------------------------------------------------------------------------------

TEST(HeaderTest, SkipsUnknownOptionalKeysAndRefusesUnknownRequiredOnes) {
    EXPECT_EQ(std::get<Status>(only_item("92 13 82 00 07 ff 93 c0 81 01 02 c3")).cursor, 7U);
    EXPECT_EQ(std::get<Status>(only_item("92 13 82 e0 c0 00 07")).cursor, 7U);
    EXPECT_TRUE(says(refusal_of_item("92 13 82 00 07 01 00"), "STATUS has key 1"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 20 00"), "key 32"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 cf ffffffffffffffff 00"), "18446744073709551615"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 d0 df 00"), "key -33"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 d3 8000000000000000 00"), "the smallest is -32"));
}

TEST(HeaderTest, RefusesDuplicateKeys) {
    EXPECT_TRUE(says(refusal_of_item("92 13 82 00 07 00 07"), "STATUS has key 0 twice"));
    EXPECT_TRUE(says(refusal_of_item("92 13 82 00 07 cc00 07"), "key 0 twice"));
    EXPECT_TRUE(says(refusal_of_item("92 13 82 ff 07 ff 07"), "key -1 twice"));
}

TEST(HeaderTest, RefusesKeysThatAreNoIntegers) {
    EXPECT_TRUE(says(refusal_of_item("92 13 81 a1 30 07"), "keys are integers"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 cb 3ff0000000000000 07"), "keys are integers"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 90 07"), "keys are integers"));
}

// ---- values -----------------------------------------------------------------------------------

TEST(HeaderTest, RefusesWrongTypes) {
    EXPECT_TRUE(
        says(refusal_of_item("92 13 81 00 a1 37"), "STATUS.cursor is '7' (it must be a number)"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 00 ff"), "STATUS.cursor is -1"));
    EXPECT_TRUE(says(refusal_of_item("92 13 81 00 cb 7ff8000000000000"), "floating"));
    EXPECT_TRUE(says(refusal_of_item(call_with("04 01", 1)), "CALL.suspect is 1"));
    EXPECT_TRUE(says(refusal_of_item(call_with("06 c0", 1)), "CALL.rows is nil"));
    EXPECT_TRUE(says(refusal_of_item("92 05 81 00 80"), "ADVERTISE.services is a map"));
    EXPECT_TRUE(says(refusal_of_item("92 05 81 00 91 c0"), "ADVERTISE.services[0] is nil"));
}

TEST(HeaderTest, RefusesNumbersOutOfRangeAndNamesTheLimit) {
    EXPECT_TRUE(says(refusal_of_item(call_with("03 cd 0100", 1)),
                     "CALL.priority is 256 (the limits are 0 and 255)"));
    EXPECT_TRUE(says(refusal_of_item(call_with("02 ce 05265c01", 1)),
                     "CALL.remaining_ms is 86400001 (the limits are 0 and 86400000)"));
    EXPECT_TRUE(says(refusal_of_item(call_with("07 cf 0000000100000001", 1)), "4294967296"));
    EXPECT_TRUE(says(refusal_of_item("92 0c 82 00" + some_key + "03 00"), "CHUNK.length is 0"));
    EXPECT_TRUE(says(refusal_of_item("92 00 81 02 04"), "HELLO.role is 4"));
}

TEST(HeaderTest, RefusesTimesAboveADay) {
    EXPECT_TRUE(std::holds_alternative<Beat>(only_item("92 08 81 02 cf 00004e94914f0000")));
    EXPECT_TRUE(says(refusal_of_item("92 08 81 02 cf 00004e94914f0001"), "foreign_backlog_ns"));
    EXPECT_TRUE(says(refusal_of_item("92 08 81 02 cf 00004e94914f0001"), "86400000000000"));
    const std::string point = "82 00 01 01 cf 8000000000000000";
    EXPECT_TRUE(says(refusal_of_item("92 05 81 00 91 83 00 01 01 a3 676e6e 0e 91" + point),
                     "nanoseconds is 9223372036854775808"));
}

TEST(HeaderTest, RefusesMissingFields) {
    EXPECT_TRUE(says(refusal_of_item("92 09 80"), "CALL.key is missing"));
    EXPECT_TRUE(says(refusal_of_item("92 09 81 00" + some_key), "CALL.service is missing"));
    EXPECT_TRUE(says(refusal_of_item("92 03 80"), "ATTACH.session is missing"));
    EXPECT_TRUE(says(refusal_of_item("92 02 80"), "REFUSED.reason is missing"));
}

TEST(HeaderTest, RefusesBadIds) {
    const std::string zero(32, '0');
    EXPECT_TRUE(says(refusal_of_item("92 0e 81 00 c4 10" + zero), "CANCEL.id is all zero"));
    EXPECT_TRUE(says(refusal_of_item("92 0e 81 00 c4 02 0102"), "binary of 2 bytes"));
    EXPECT_TRUE(says(refusal_of_item("92 0e 81 00 a0"), "CANCEL.id"));
    EXPECT_TRUE(says(refusal_of_item("92 0b 81 00 c4 11" + zero + "01"), "all zero"));
    EXPECT_TRUE(says(refusal_of_item("92 0b 81 00 c4 11 ff" + zero.substr(2) + "00"), "attempt 0"));
    EXPECT_TRUE(says(refusal_of_item("92 0b 81 00 c4 11 ff" + zero.substr(2) + "04"), "attempt 4"));
}

std::string call_for(const std::string& service) {
    std::string frame = from_hex(std::string(one_item) + "92 09 82 00" + some_key + "01");
    pack::text(frame, service);
    return frame;
}

TEST(HeaderTest, RefusesBadServiceNames) {
    EXPECT_TRUE(decoded(call_for("gnn/3")));
    EXPECT_TRUE(says(refusal(call_for("")), "CALL.service is empty"));
    for (const std::string name : {"../", "a\nb", "g\xffn", "a b", "gnn/03"}) {
        EXPECT_TRUE(says(refusal(call_for(name)), "CALL.service is '")) << name;
    }
    EXPECT_TRUE(says(refusal(call_for(std::string(3, '\0'))), "CALL.service is '"));
    EXPECT_TRUE(says(refusal(call_for(std::string(129, 'a'))), "129 bytes (the limit is 128)"));
    EXPECT_TRUE(says(refusal(call_for(std::string(60'000, 'a'))), "string of 60000"));
    EXPECT_TRUE(says(refusal(call_for(std::string(1'000'000, 'a'))), "the limit is 65536"));
}

TEST(HeaderTest, RefusesNamesThatAreNotUtf8) {
    EXPECT_TRUE(says(refusal_of_item("92 15 81 00 a2 c3 28"), "DRAIN.worker"));
    EXPECT_TRUE(says(refusal_of_item("92 15 81 00 a1 0a"), "control characters"));
    EXPECT_TRUE(says(refusal_of_item("92 04 81 00 a1 ff"), "GOODBYE.reason"));
}

TEST(HeaderTest, RefusesListsAboveTheirLimit) {
    std::string frame = from_hex(std::string(one_item) + "92 05 81 00 dc 0041");
    for (int i = 0; i < 65; ++i) frame += from_hex("80");
    EXPECT_TRUE(says(refusal(frame), "ADVERTISE.services has 65 entries (the limit is 64)"));
}

TEST(HeaderTest, RefusesBadSignatures) {
    const std::string service = "92 05 81 00 91 83 00 01 01 a1 67 05 91 ";
    EXPECT_TRUE(
        says(refusal_of_item(service + "80"), "ADVERTISE.services[0].inputs[0].name is missing"));
    EXPECT_TRUE(says(refusal_of_item(service + "82 00 a1 78 03 91 fe"), "inputs[0].dims is -2"));
    EXPECT_TRUE(says(refusal_of_item(service + "82 00 a1 78 02 07"), "float7"));
    EXPECT_TRUE(says(refusal_of_item(service + "82 00 a1 78 03 dc 0011" + std::string(34, '0')),
                     "17 entries (the limit is 16)"));
}

TEST(HeaderTest, ReadsFieldsThatOthersMaySkip) {
    // LEASE of "g" with one grant: mac, and -1 same_host "h/@w".
    const std::string grant = "06 c4 20" + std::string(64, '1') + "ff a4 68 2f 40 77";
    const auto items =
        decoded(from_hex(std::string(one_item) + "92 10 82 00 a1 67 01 91 82" + grant));
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_EQ(std::get<Lease>(items->front()).grants.front().same_host, "h/@w");
    EXPECT_TRUE(says(refusal_of_item("92 10 82 00 a1 67 01 91 81 06 c4 20" + std::string(64, '1')),
                     "url is empty, and so is same_host"));
}

TEST(HeaderTest, RefusesFieldsThatContradictEachOther) {
    EXPECT_TRUE(says(refusal_of_item(call_with("05 c3 0a 01", 2)), "CALL.frame_count"));
    EXPECT_TRUE(
        says(refusal_of_item("92 0c 84 00" + some_key + "02 cf 0000000100000000 03 01 01 00"),
             "CHUNK.offset"));
    EXPECT_TRUE(says(refusal_of_item("92 05 81 00 91 83 00 01 01 a1 67 0e 92 81 00 05 81 00 05"),
                     "cost has points whose rows do not ascend"));
    EXPECT_TRUE(says(refusal_of_item("92 00 82 00 05 03 c4 10" + std::string(32, '1')),
                     "HELLO.protocol_max is below"));
}

TEST(HeaderTest, OneBadItemRefusesTheMessage) {
    EXPECT_TRUE(says(refusal(from_hex("94 a2 4546 01 92 08 80 92 0e 80")), "CANCEL.id is missing"));
}

// ---- the writer -------------------------------------------------------------------------------

TEST(HeaderWriterTest, StopsBeforeTheByteLimitAndStaysValid) {
    HeaderWriter writer;
    Goodbye item{std::string(limits::detail_bytes, 'x')};
    std::size_t count = 0;
    while (writer.try_add(item)) ++count;
    EXPECT_LE(writer.finish().size(), limits::header_bytes);
    EXPECT_GT(writer.size_bytes() + limits::detail_bytes, limits::header_bytes);
    const auto items = decoded(test::string_of(writer.finish()));
    ASSERT_TRUE(items) << items.error().message;
    EXPECT_EQ(items->size(), count);
}

TEST(HeaderWriterTest, StopsAtTheItemLimit) {
    HeaderWriter writer;
    while (writer.try_add(Beat{})) {
    }
    EXPECT_EQ(writer.item_count(), limits::item_count);
    EXPECT_EQ(decoded(test::string_of(writer.finish()))->size(), limits::item_count);
    writer.clear();
    EXPECT_TRUE(writer.empty());
    EXPECT_TRUE(writer.try_add(Beat{}));
    EXPECT_EQ(decoded(test::string_of(writer.finish()))->size(), 1U);
}

TEST(HeaderWriterTest, CarriesTheLongestListsAlone) {
    Hello hello;
    hello.peer = PeerId::from_words(1, 1);
    for (std::uint64_t i = 1; i <= limits::open_calls_per_session_count; ++i) {
        hello.open.push_back({CallId::from_words(i, i), 1});
    }
    HeaderWriter writer;
    ASSERT_TRUE(writer.try_add(hello));
    EXPECT_EQ(decoded(test::string_of(writer.finish()))->front(), Message(hello));
    EXPECT_TRUE(fits_alone(hello));
    hello.open.resize(4000, hello.open.front());
    EXPECT_FALSE(fits_alone(hello));
}

TEST(HeaderWriterTest, CarriesTheLargestServiceAlone) {
    ServiceAd ad;
    ad.index = ServiceIndex{1};
    ad.model = std::string(limits::name_bytes, 'm');
    const TensorSpec spec{std::string(limits::name_bytes, 't'), dtype::boolean,
                          Shape(limits::tensor_rank, 1), true};
    ad.signature.inputs.assign(limits::tensor_count, spec);
    ad.signature.outputs.assign(limits::tensor_count, spec);
    ad.labels.assign(limits::label_count, {ad.model, ad.model});
    ad.device_name = ad.backend = ad.model;
    ad.failure = std::string(limits::detail_bytes, 'f');
    HeaderWriter writer;
    ASSERT_TRUE(writer.try_add(Advertise{{ad}, {}, {}, {}}));
    EXPECT_EQ(decoded(test::string_of(writer.finish()))->front(),
              Message(Advertise{{ad}, {}, {}, {}}));
}

TEST(HeaderWriterTest, ForeignErrorTextsCannotEndASession) {
    Answer answer;
    answer.key = {CallId::from_words(1, 1), 1};
    answer.outcome = Outcome::device_fault;
    answer.detail = "bad \xff byte " + std::string(5000, 'x');
    HeaderWriter writer;
    ASSERT_TRUE(writer.try_add(answer));
    const auto items = decoded(test::string_of(writer.finish()));
    ASSERT_TRUE(items) << items.error().message;
    const std::string& detail = std::get<Answer>(items->front()).detail;
    EXPECT_EQ(detail.size(), limits::detail_bytes);
    EXPECT_EQ(detail.substr(0, 10), "bad ? byte");
}

}  // namespace
}  // namespace farm
