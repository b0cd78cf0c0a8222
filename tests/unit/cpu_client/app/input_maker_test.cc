#include "cpu_client/app/input_maker.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include <gtest/gtest.h>

#include "common/ops/npy.h"

namespace farm {
namespace {

ServiceAd gnn() {
    ServiceAd service;
    service.model = "gnn";
    service.signature.inputs = {{"nodes", dtype::f32, {-1, 3}, false},
                                {"edge_index", dtype::i64, {2, -1}, false}};
    return service;
}

template <class T>
std::span<const T> elements(const Input& input) {
    return {reinterpret_cast<const T*>(input.value.data.data()),
            input.value.data.size() / sizeof(T)};
}

std::string error_of(const ServiceAd& service, const InputChoices& choices) {
    const auto inputs = make_inputs(service, choices);
    return inputs ? "" : inputs.error().message;
}

TEST(InputMakerTest, EdgesJoinNodesThatAreThere) {
    InputChoices choices;
    choices.rows = 50;
    const auto inputs = make_inputs(gnn(), choices);
    ASSERT_TRUE(inputs) << inputs.error().message;
    EXPECT_EQ((*inputs)[0].value.shape, (Shape{50, 3}));
    EXPECT_EQ((*inputs)[1].value.shape, (Shape{2, 200}));
    const auto edges = elements<std::int64_t>((*inputs)[1]);
    ASSERT_EQ(edges.size(), 400U);
    for (std::size_t k = 0; k < 200; ++k) {
        EXPECT_LT(edges[k], 50);
        EXPECT_GE(edges[k], edges[200 + k]);
        EXPECT_GE(edges[200 + k], 0);
    }
    EXPECT_GT(*std::max_element(edges.begin(), edges.end()), 25);
}

TEST(InputMakerTest, ShapeOfNodesBoundsTheEdges) {
    InputChoices choices;
    choices.shapes = {{"nodes", {7, 3}}, {"edge_index", {2, 1000}}};
    const auto inputs = make_inputs(gnn(), choices);
    ASSERT_TRUE(inputs);
    const auto edges = elements<std::int64_t>((*inputs)[1]);
    ASSERT_EQ(edges.size(), 2000U);
    EXPECT_EQ(*std::max_element(edges.begin(), edges.end()), 6);
}

TEST(InputMakerTest, SameSeedSameInputs) {
    InputChoices choices;
    const auto a = make_inputs(gnn(), choices), b = make_inputs(gnn(), choices);
    choices.seed = 2;
    const auto c = make_inputs(gnn(), choices);
    const auto values = [](const auto& inputs) { return elements<float>((*inputs)[0]); };
    EXPECT_TRUE(std::ranges::equal(values(a), values(b)));
    EXPECT_FALSE(std::ranges::equal(values(a), values(c)));
}

TEST(InputMakerTest, ZeroFillsWithZeros) {
    InputChoices choices;
    choices.fill = InputChoices::Fill::zero;
    const auto inputs = make_inputs(gnn(), choices);
    for (const float value : elements<float>((*inputs)[0])) EXPECT_EQ(value, 0);
}

TEST(InputMakerTest, ModelsThatBatchRowsGetOneRow) {
    ServiceAd service;
    service.batch = BatchRule::rows;
    service.signature.inputs = {{"x", dtype::f32, {-1, 16}, false}};
    EXPECT_EQ((*make_inputs(service, {}))[0].value.shape, (Shape{1, 16}));
}

TEST(InputMakerTest, EveryTypeIsMadeWithinItsRange) {
    ServiceAd service;
    for (const DType type : {dtype::f16, dtype::f64, dtype::bf16, dtype::i8, dtype::i16, dtype::i32,
                             dtype::u8, dtype::u16, dtype::u32, dtype::u64, dtype::boolean}) {
        service.signature.inputs.push_back({to_string(type), type, {1000}, false});
    }
    InputChoices choices;
    choices.int_ranges = {{"int8", {-128, 127}}, {"uint16", {60000, 65535}}};
    const auto inputs = make_inputs(service, choices);
    ASSERT_TRUE(inputs) << inputs.error().message;
    const auto find = [&](std::string_view name) -> const Input& {
        return *std::ranges::find_if(*inputs, [&](const Input& i) { return i.name == name; });
    };
    const auto bytes = elements<std::int8_t>(find("int8"));
    EXPECT_LT(*std::ranges::min_element(bytes), -100);
    for (const auto value : elements<std::uint16_t>(find("uint16"))) EXPECT_GE(value, 60000);
    for (const auto value : elements<std::uint64_t>(find("uint64"))) EXPECT_LE(value, 9U);
    for (const auto value : elements<std::uint8_t>(find("bool"))) EXPECT_LE(value, 1);
    for (const auto value : elements<double>(find("float64"))) EXPECT_LT(value, 1);
}

TEST(InputMakerTest, OptionalInputsAreLeftOut) {
    ServiceAd service = gnn();
    service.signature.inputs[1].optional = true;
    EXPECT_EQ(make_inputs(service, {})->size(), 1U);
}

TEST(InputMakerTest, ErrorsNameInputValueAndLimit) {
    InputChoices choices;
    choices.shapes = {{"nodes", {7, 4}}};
    EXPECT_NE(error_of(gnn(), choices)
                  .find("'nodes' is float32 [7, 4] (the model takes float32 "
                        "[-1, 3])"),
              std::string::npos)
        << error_of(gnn(), choices);
    choices.shapes = {{"node", {7, 3}}};
    EXPECT_NE(error_of(gnn(), choices).find("--shape names input 'node'"), std::string::npos);
    choices.shapes = {{"nodes", {1LL << 40, 3}}};
    EXPECT_FALSE(error_of(gnn(), choices).empty());
    choices = {};
    choices.files = {{"edge", "e.npy"}};
    EXPECT_NE(error_of(gnn(), choices).find("'nodes', 'edge_index'"), std::string::npos);
    ServiceAd bytes;
    bytes.signature.inputs = {{"b", dtype::u8, {4}, false}};
    choices = {};
    choices.int_ranges = {{"b", {-1, 5}}};
    EXPECT_NE(error_of(bytes, choices).find("uint8 holds 0:255"), std::string::npos);
}

TEST(InputMakerTest, FilesAreReadAndChecked) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("farm-input-" + std::to_string(::getpid()) + ".npy");
    const std::vector<float> values(12, 3.5F);
    ASSERT_TRUE(write_npy(
        file, {{"x", dtype::f32, {4, 3}}, Buffer::copy_of(std::as_bytes(std::span(values)))}));
    InputChoices choices;
    choices.files = {{"nodes", file.string()}};
    const auto inputs = make_inputs(gnn(), choices);
    ASSERT_TRUE(inputs) << inputs.error().message;
    EXPECT_EQ(elements<float>((*inputs)[0])[11], 3.5F);
    for (const auto index : elements<std::int64_t>((*inputs)[1])) EXPECT_LT(index, 4);
    choices.files = {{"edge_index", file.string()}};
    EXPECT_NE(error_of(gnn(), choices).find("takes int64 [2, -1]"), std::string::npos);
    std::filesystem::remove(file);
}

TEST(InputMakerTest, EventsAreTheFoldersInOrder) {
    namespace fs = std::filesystem;
    const fs::path folder =
        fs::temp_directory_path() / ("farm-events-" + std::to_string(::getpid()));
    for (const std::int64_t rows : {2, 1}) {
        fs::create_directories(folder / std::to_string(rows));
        std::vector<float> nodes(static_cast<std::size_t>(3 * rows), 0.5F);
        ASSERT_TRUE(write_npy(
            folder / std::to_string(rows) / "nodes.npy",
            {{"nodes", dtype::f32, {rows, 3}}, Buffer::copy_of(std::as_bytes(std::span(nodes)))}));
    }
    const auto events = choose_events(gnn(), {}, folder);
    const auto none = choose_events(gnn(), {}, folder / "1");
    ASSERT_TRUE(events) << events.error().message;
    ASSERT_EQ(events->size(), 2U);
    for (std::int64_t rows : {1, 2}) {
        const auto inputs = make_inputs(gnn(), (*events)[static_cast<std::size_t>(rows - 1)]);
        ASSERT_TRUE(inputs) << inputs.error().message;
        EXPECT_EQ((*inputs)[0].value.shape, (Shape{rows, 3}));
    }
    fs::remove_all(folder);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::not_found);
}

TEST(NamedOptionsTest, ParseAndRefuse) {
    EXPECT_EQ(parse_named("--input", {"a=b=c"})->at("a"), "b=c");
    EXPECT_FALSE(parse_named("--input", {"a"}));
    EXPECT_FALSE(parse_named("--input", {"=a"}));
    EXPECT_FALSE(parse_named("--input", {"a="}));
    EXPECT_NE(parse_named("--input", {"a=1", "a=2"}).error().message.find("twice"),
              std::string::npos);
    EXPECT_EQ(parse_shapes({"x=3,4"})->at("x"), (Shape{3, 4}));
    EXPECT_FALSE(parse_shapes({"x=3,"}));
    EXPECT_FALSE(parse_shapes({"x=-1"}));
    EXPECT_EQ(parse_int_ranges({"x=-5:5"})->at("x").lowest, -5);
    EXPECT_FALSE(parse_int_ranges({"x=5"}));
    EXPECT_FALSE(parse_int_ranges({"x=5:1"}));
}

}  // namespace
}  // namespace farm
