// Track finding as a service, with small TorchScript networks: points of one track have the same
// phi, the filter drops edges between different signs of z, and the classifier likes all others.
#include "gpu_worker/backends/tracks_backend.h"

#include <gtest/gtest.h>
#include <torch/script.h>

#include <cmath>

#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/core/input_check.h"
#include "gpu_worker/repository/repository.h"
#include "tests/unit/gpu_worker/temporary_folder.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;

constexpr const char* plain_tensors = R"(
input [ { name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]
output [ { name: "LABELS" data_type: TYPE_INT64 dims: [ -1 ] } ]
)";

constexpr const char* all_outputs = R"(
input [ { name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]
output [
  { name: "LABELS" data_type: TYPE_INT64 dims: [ -1 ] },
  { name: "EDGES" data_type: TYPE_INT64 dims: [ 2, -1 ] },
  { name: "SCORES" data_type: TYPE_FP32 dims: [ -1 ] },
  { name: "STAGES" data_type: TYPE_FP64 dims: [ 5, 2 ] }
]
)";

constexpr const char* edges_on_demand = R"(
input [
  { name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 3 ] },
  { name: "EDGES_WANTED" data_type: TYPE_BOOL dims: [ 1 ] optional: true }
]
output [
  { name: "LABELS" data_type: TYPE_INT64 dims: [ -1 ] },
  { name: "GRAPH_EDGES" data_type: TYPE_INT32 dims: [ 2, -1 ] },
  { name: "EDGES" data_type: TYPE_INT64 dims: [ 2, -1 ] }
]
)";

constexpr const char* ragged_tensors = R"(
max_batch_size: 1000
input [ { name: "FEATURES" data_type: TYPE_FP32 dims: [ 3 ] } ]
output [ { name: "LABELS" data_type: TYPE_INT64 dims: [ ] } ]
batch_input [ {
  kind: BATCH_ACCUMULATED_ELEMENT_COUNT
  target_name: "EVENT_ENDS"
  data_type: TYPE_INT64
  source_input: "FEATURES"
} ]
)";

std::string parameter(const std::string& key, const std::string& value) {
    return "parameters { key: \"" + key + "\" value { string_value: \"" + value + "\" } }\n";
}

std::string networks() {
    return parameter("farm.tracks.embedding", "embedding.pt") +
           parameter("farm.tracks.filter", "filter.pt") +
           parameter("farm.tracks.classifier", "classifier.pt") +
           parameter("farm.tracks.radius", "0.1");
}

class TracksBackendTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directories(folder_.path() / "tracks" / "1");
        save("embedding", "    return x[:, 1:2]\n", "x: Tensor");
        save("filter", "    return x[e[0], 2] * x[e[1], 2] * 100\n", "x: Tensor, e: Tensor");
        save("filter_pairs", "    return (p[:, 2] * p[:, 5] * 100).unsqueeze(1)\n", "p: Tensor");
        save("classifier", "    return torch.ones_like(e[0]) * 3.0\n", "x: Tensor, e: Tensor");
        save("nan", "    return torch.ones_like(e[0]) / 0.0 * 0.0\n", "x: Tensor, e: Tensor");
    }

    void save(const std::string& name, const std::string& body, const std::string& arguments) {
        torch::jit::Module module(name);
        module.define("def forward(self, " + arguments + "):\n" + body);
        module.save((folder_.path() / "tracks" / "1" / (name + ".pt")).string());
    }

    ModelSource source_of(const std::string& config) {
        folder_.write("tracks/config.pbtxt", "backend: \"tracks\"\n" + config);
        const auto entries = scan_repository(folder_.path());
        EXPECT_TRUE(entries) << entries.error().message;
        const auto* source = std::get_if<ModelSource>(&entries->front());
        if (source != nullptr) return *source;
        ADD_FAILURE() << std::get<LoadFailure>(entries->front()).reason;
        return {};
    }

    std::unique_ptr<BackendInstance> instance_of(const ModelSource& source) {
        const auto model = load_model(source, *resolve_device("cpu"));
        EXPECT_TRUE(model) << model.error().message;
        return model ? std::move(*(*model)->make_instance()) : nullptr;
    }

    TensorList run(const std::string& config, const Tensor& features) {
        const auto instance = instance_of(source_of(config));
        if (instance == nullptr) return TensorList(4);
        const RunResult outputs = instance->run(TensorList{features});
        EXPECT_TRUE(outputs) << outputs.error().detail;
        return outputs ? *outputs : TensorList(4);
    }

    std::string error_of(const std::string& config) {
        folder_.write("tracks/config.pbtxt", "backend: \"tracks\"\n" + config);
        const auto entries = *scan_repository(folder_.path());
        if (const auto* failure = std::get_if<LoadFailure>(&entries.front())) {
            return failure->reason;
        }
        const auto model =
            load_model(std::get<ModelSource>(entries.front()), *resolve_device("cpu"));
        return model ? "none" : model.error().message;
    }

    testing::TemporaryFolder folder_;
};

/// Two tracks of two points, one of which the filter cuts.
Tensor event() {
    return floats("FEATURES", {4, 3}, {1, 0.5F, 1, 1, 0.9F, 1, 2, 0.5F, 1, 2, 0.9F, -1});
}

using Labels = std::vector<std::int64_t>;

TEST_F(TracksBackendTest, PointsGetTheLabelsOfTheirTracks) {
    const TensorList outputs = run(plain_tensors + networks(), event());
    EXPECT_EQ(outputs.front().desc.shape, (Shape{4}));
    EXPECT_EQ(values_of<std::int64_t>(outputs.front()), (Labels{0, 1, 0, 2}));
}

/// As a small tensor may lie in the body of its message.
TEST_F(TracksBackendTest, FeaturesMayLieAnywhere) {
    Tensor moved = event();
    MutableBuffer block(moved.data.size() + 1);
    std::ranges::copy(moved.data.bytes(), block.data() + 1);
    moved.data = std::move(block).freeze().slice(1, moved.data.size());
    EXPECT_EQ(values_of<std::int64_t>(run(plain_tensors + networks(), moved).front()),
              (Labels{0, 1, 0, 2}));
}

TEST_F(TracksBackendTest, OutputsThatAreDeclaredComeInTheirOrder) {
    const TensorList outputs = run(all_outputs + networks(), event());
    EXPECT_EQ(values_of<std::int64_t>(outputs[1]), (Labels{2, 0}));
    EXPECT_NEAR(values_of(outputs[2]).at(0), 1 / (1 + std::exp(-3.0)), 1e-6);
    const auto stages = values_of<double>(outputs[3]);
    ASSERT_EQ(stages.size(), 10U);
    EXPECT_EQ(stages[3], 2);  // edges of the graph
    EXPECT_EQ(stages[5], 1);  // and after the filter
}

TEST_F(TracksBackendTest, EdgesComeWhenTheCallWantsThem) {
    const auto instance = instance_of(source_of(edges_on_demand + networks()));
    ASSERT_NE(instance, nullptr);
    const auto wish = [](bool wanted) {
        const std::byte value{static_cast<unsigned char>(wanted)};
        return Tensor{{"EDGES_WANTED", dtype::boolean, {1}}, Buffer::copy_of({&value, 1})};
    };
    const auto asked = instance->run(TensorList{event(), wish(true)});
    ASSERT_TRUE(asked) << asked.error().detail;
    EXPECT_EQ(values_of<std::int32_t>((*asked)[1]), (std::vector<std::int32_t>{2, 3, 0, 1}));
    EXPECT_EQ(values_of<std::int64_t>((*asked)[2]), (Labels{2, 0}));
    for (const TensorList& call : {TensorList{event()}, TensorList{event(), wish(false)}}) {
        const auto plain = instance->run(call);
        ASSERT_TRUE(plain) << plain.error().detail;
        EXPECT_EQ(values_of<std::int64_t>((*plain)[0]), (Labels{0, 1, 0, 2}));
        EXPECT_EQ((*plain)[1].desc.shape, (Shape{2, 0}));
        EXPECT_EQ((*plain)[2].desc.shape, (Shape{2, 0}));
    }
}

TEST_F(TracksBackendTest, NeighboursHaveALimitWhenAskedFor) {
    const Tensor same = floats("FEATURES", {3, 3}, {1, 0.5F, 1, 1, 0.5F, 1, 1, 0.5F, 1});
    const std::string config = all_outputs + networks();
    EXPECT_EQ(values_of<double>(run(config, same)[3]).at(3), 3);
    EXPECT_EQ(
        values_of<double>(run(config + parameter("farm.tracks.neighbour_limit", "1"), same)[3])
            .at(3),
        2);
}

TEST_F(TracksBackendTest, FilterOfPairsGivesTheSame) {
    const std::string config = plain_tensors + parameter("farm.tracks.embedding", "embedding.pt") +
                               parameter("farm.tracks.filter", "filter_pairs.pt") +
                               parameter("farm.tracks.filter_input", "pairs") +
                               parameter("farm.tracks.classifier", "classifier.pt") +
                               parameter("farm.tracks.radius", "0.1");
    EXPECT_EQ(values_of<std::int64_t>(run(config, event()).front()), (Labels{0, 1, 0, 2}));
}

TEST_F(TracksBackendTest, FeaturesInMillimetresAreScaled) {
    const std::string config =
        plain_tensors + networks() + parameter("farm.tracks.features", "mm") +
        parameter("farm.tracks.scale_phi", "10") + parameter("farm.tracks.scale_z", "1");
    // 0.5 and 0.9 rad are 0.05 and 0.09 of the network's units: within the radius.
    EXPECT_EQ(values_of<std::int64_t>(run(config, event()).front()), (Labels{0, 0, 0, 1}));
}

TEST_F(TracksBackendTest, WithoutAnEmbeddingDoubletsMakeTheGraph) {
    const std::string config = plain_tensors + parameter("farm.tracks.graph", "doublets") +
                               parameter("farm.tracks.classifier", "classifier.pt") +
                               parameter("farm.tracks.tracks", "walkthrough") +
                               parameter("farm.tracks.minimum_hits", "2");
    const Tensor hits =
        floats("FEATURES", {3, 3}, {0.03F, 0.5F, 0, 0.07F, 0.5F, 0, 0.07F, 0.9F, 0});
    EXPECT_EQ(values_of<std::int64_t>(run(config, hits).front()), (Labels{0, 0, -1}));
}

TEST_F(TracksBackendTest, EventsOfARunGetTheLabelsOfEachAlone) {
    const ModelSource source = source_of(ragged_tensors + networks());
    const auto instance = instance_of(source);
    ASSERT_NE(instance, nullptr);
    const std::vector<TensorList> calls = {{event()},
                                           {floats("FEATURES", {0, 3}, {})},
                                           {event()},
                                           {floats("FEATURES", {1, 3}, {1, 0.5F, 1})}};
    std::vector<const TensorList*> pointers;
    for (const TensorList& call : calls) pointers.push_back(&call);
    const RunResult outputs = instance->run(*source.batching->combine(pointers, heap_block));
    ASSERT_TRUE(outputs) << outputs.error().detail;
    const auto parts = source.batching->split(*outputs, pointers);
    ASSERT_TRUE(parts) << parts.error().message;
    const std::vector<Labels> expected = {{0, 1, 0, 2}, {}, {0, 1, 0, 2}, {0}};
    for (std::size_t i = 0; i < calls.size(); ++i) {
        EXPECT_EQ(values_of<std::int64_t>((*parts)[i].front()), expected[i]) << i;
    }
}

TEST_F(TracksBackendTest, BadEventIsAnInputError) {
    const auto instance = instance_of(source_of(plain_tensors + networks()));
    ASSERT_NE(instance, nullptr);
    const TensorList bad = {floats("FEATURES", {1, 3}, {1, std::nanf(""), 1})};
    const RunResult outputs = instance->run(bad);
    ASSERT_FALSE(outputs);
    EXPECT_EQ(outputs.error().outcome, Outcome::input_error);
    EXPECT_EQ(outputs.error().detail,
              "space points: coordinate 1 of point 0 is nan (it must be finite): leave the point "
              "out");
}

TEST_F(TracksBackendTest, EventBeyondThePointLimitIsAnInputError) {
    const auto instance = instance_of(
        source_of(plain_tensors + networks() + parameter("farm.tracks.point_limit", "3")));
    ASSERT_NE(instance, nullptr);
    const RunResult outputs = instance->run(TensorList{event()});
    ASSERT_FALSE(outputs);
    EXPECT_EQ(outputs.error().outcome, Outcome::input_error);
    EXPECT_EQ(outputs.error().detail, "there are 4 space points (the limit is 3): split the event");
}

TEST_F(TracksBackendTest, WalkWithAMinimumOfOneHitLabelsLoneHits) {
    const auto config = [](const std::string& minimum) {
        return plain_tensors + networks() + parameter("farm.tracks.tracks", "walkthrough") +
               minimum;
    };
    EXPECT_EQ(values_of<std::int64_t>(run(config(""), event()).front()), (Labels{-1, -1, -1, -1}));
    EXPECT_EQ(values_of<std::int64_t>(
                  run(config(parameter("farm.tracks.minimum_hits", "1")), event()).front()),
              (Labels{0, 1, 0, 2}));
}

TEST_F(TracksBackendTest, EmbeddingThatCannotBeIsAFaultOfTheService) {
    save("infinite", "    return x[:, 1:2] / 0.0\n", "x: Tensor");
    save("wide", "    return x[:, 1:2].repeat(1, 65)\n", "x: Tensor");
    for (const char* const network : {"infinite.pt", "wide.pt"}) {
        const auto instance =
            instance_of(source_of(plain_tensors + parameter("farm.tracks.embedding", network) +
                                  parameter("farm.tracks.classifier", "classifier.pt")));
        ASSERT_NE(instance, nullptr);
        const RunResult outputs = instance->run(TensorList{event()});
        ASSERT_FALSE(outputs) << network;
        EXPECT_EQ(outputs.error().outcome, Outcome::retryable_fault) << outputs.error().detail;
    }
}

TEST_F(TracksBackendTest, NetworkWithoutASenseIsToldOf) {
    const auto instance =
        instance_of(source_of(plain_tensors + parameter("farm.tracks.embedding", "embedding.pt") +
                              parameter("farm.tracks.classifier", "nan.pt")));
    ASSERT_NE(instance, nullptr);
    const RunResult outputs = instance->run(TensorList{event()});
    ASSERT_FALSE(outputs);
    EXPECT_EQ(outputs.error().outcome, Outcome::retryable_fault);
    EXPECT_NE(outputs.error().detail.find("is NaN"), std::string::npos) << outputs.error().detail;
}

/// Each of them passed, and every event was refused as the caller's fault.
TEST_F(TracksBackendTest, GraphThatNoEventCanHaveIsRefusedWhenLoaded) {
    const auto with = [this](const std::string& key, const std::string& value) {
        return error_of(plain_tensors + parameter("farm.tracks.graph", "doublets") +
                        parameter("farm.tracks.classifier", "classifier.pt") +
                        parameter("farm.tracks." + key, value));
    };
    EXPECT_EQ(with("doublet_largest_dphi", "2.9"), "none");
    EXPECT_EQ(with("doublet_largest_dphi", "5"),
              "model 'tracks', config.pbtxt: doublet window largest_dphi is 5.000000 (above 0 and "
              "below 3 rad): correct the configuration");
    EXPECT_NE(with("doublet_least_dr", "300").find("largest_dr is 200.000000"), std::string::npos);
    EXPECT_NE(with("radius", "1e30").find("square must be positive and finite"), std::string::npos);
}

TEST_F(TracksBackendTest, WhatCannotBeServedSaysWhy) {
    const auto names = [](const std::string& text, const std::string& word) {
        EXPECT_NE(text.find(word), std::string::npos) << text;
    };
    names(error_of(plain_tensors + networks() + parameter("farm.tracks.raduis", "1")),
          "parameter 'farm.tracks.raduis' is not known");
    names(error_of(plain_tensors + networks() + parameter("farm.tracks.walk_cut", "1.5")),
          "parameter 'farm.tracks.walk_cut' is '1.500000' (possible: 0 to less than 1)");
    names(error_of(plain_tensors + networks() + parameter("farm.tracks.graph", "doublets")),
          "(possible: none with 'doublets')");
    names(error_of(plain_tensors + parameter("farm.tracks.embedding", "embedding.pt")),
          "parameter 'farm.tracks.classifier' is ''");
    names(error_of(plain_tensors + networks() + parameter("farm.tracks.edge_limit", "99999999")),
          "'99999999' (possible: 1 to 32000000)");
    names(error_of(plain_tensors + networks() + parameter("farm.tracks.edge_limit", "0")),
          "'0' (possible: 1 to 32000000)");
    names(error_of(plain_tensors + networks() + parameter("farm.tracks.point_limit", "5000000")),
          "'5000000' (possible: 1 to 4000000)");
    names(error_of(plain_tensors + networks() + parameter("farm.tracks.minimum_hits", "0")),
          "'0' (possible: 1 to");
    names(error_of(plain_tensors + parameter("farm.tracks.graph", "doublets") +
                   parameter("farm.tracks.classifier", "absent.pt")),
          "absent.pt");
    names(error_of(plain_tensors + parameter("farm.tracks.graph", "doublets") +
                   parameter("farm.tracks.classifier", "embedding.pt")),
          "embedding.pt");
    names(error_of("max_batch_size: 10\n"
                   "input [ { name: \"FEATURES\" data_type: TYPE_FP32 dims: [ 3 ] } ]\n"
                   "output [ { name: \"LABELS\" data_type: TYPE_INT64 dims: [ ] } ]\n" +
                   networks()),
          "farm.batch is 'rows'");
    names(error_of("input [ { name: \"POINTS\" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]\n"
                   "output [ { name: \"LABELS\" data_type: TYPE_INT64 dims: [ -1 ] } ]\n" +
                   networks()),
          "FEATURES float32 [-1, 3]");
    names(error_of("input [ { name: \"FEATURES\" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]\n"
                   "output [ { name: \"TRACKS\" data_type: TYPE_INT64 dims: [ -1 ] } ]\n" +
                   networks()),
          "output 'TRACKS' is int64 [-1]");
}

}  // namespace
}  // namespace farm
