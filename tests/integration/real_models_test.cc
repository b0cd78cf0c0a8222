// The real networks, asked through broker and worker.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "gpu_worker/tracking/connected_components.h"
#include "tests/integration/client_calls.h"
#include "tests/integration/farm_children.h"
#include "tests/physics/reference_data.h"

namespace farm {
namespace {

using testing::read_flat;

constexpr std::int64_t point_count = 314;
constexpr std::int64_t edge_count = 584;
constexpr std::size_t labelled_point_count = 313;  // the reference's label file lacks the last

class RealModelsTest : public ::testing::Test {
  protected:
    Client serve(const std::filesystem::path& model) {
        std::filesystem::create_directory_symlink(std::filesystem::absolute(model),
                                                  farm_.models() / model.filename());
        farm_.start_broker();
        farm_.start_worker("w1", farm_.url());
        auto client = Client::connect(farm_.url());
        EXPECT_TRUE(client) << client.error().message;
        await_model(*client, model.filename().string());
        return std::move(*client);
    }
    void TearDown() override {
        if (HasFailure()) std::cerr << farm_.log("broker") << farm_.log("w1");
    }

    FarmChildren farm_;
};

/// Equal as partitions: the labels of one are those of the other under another name.
bool same_partition(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b,
                    std::size_t count) {
    std::map<std::int32_t, std::int32_t> forth;
    std::map<std::int32_t, std::int32_t> back;
    for (std::size_t i = 0; i < count; ++i) {
        if (forth.try_emplace(a[i], b[i]).first->second != b[i]) return false;
        if (back.try_emplace(b[i], a[i]).first->second != a[i]) return false;
    }
    return true;
}

TEST_F(RealModelsTest, GnnThroughTheFarmGivesTheReferenceLogitsAndComponents) {
    Client client = serve("data/models/gnn");
    const auto nodes = read_flat<float>("data/events/in_e1000.csv");
    const auto edges =
        read_flat<std::int64_t>("data/reference/applyfilter_output_EDGE_LIST_AFTER_FILTER.csv");
    const auto reference = read_flat<float>("data/reference/gnn_output_OUTPUT__0.csv");
    ASSERT_EQ(nodes.size(), 3U * point_count);
    ASSERT_EQ(edges.size(), 2U * edge_count);
    ASSERT_EQ(reference.size(), static_cast<std::size_t>(edge_count));

    const Inference result =
        client
            .infer("gnn", {{"nodes", tensor<float>({point_count, 3}, std::span(nodes))},
                           {"edge_index", tensor<std::int64_t>({2, edge_count}, std::span(edges))}})
            .get();
    ASSERT_TRUE(result.ok()) << result.detail;
    EXPECT_EQ(result.made_by.model, "gnn");
    EXPECT_EQ(result.made_by.worker, "w1");
    const auto logits = result.output("scores").as<float>();
    ASSERT_TRUE(logits) << logits.error().message;
    ASSERT_EQ(logits->size(), reference.size());
    for (std::size_t i = 0; i < reference.size(); ++i) {
        EXPECT_NEAR((*logits)[i], reference[i], 1e-3) << "edge " << i;
    }

    tracking::Edges kept;
    for (std::size_t k = 0; k < edge_count; ++k) {
        if ((*logits)[k] <= 0) continue;
        kept.source.push_back(static_cast<std::int32_t>(edges[k]));
        kept.target.push_back(static_cast<std::int32_t>(edges[edge_count + k]));
    }
    const auto components = tracking::connected_components(point_count, kept.view());
    ASSERT_TRUE(components) << components.error().message;
    const auto labels = read_flat<std::int32_t>("data/reference/wcc_output_OUTPUT0.csv");
    ASSERT_EQ(labels.size(), labelled_point_count);
    EXPECT_TRUE(same_partition(components->labels, labels, labelled_point_count));
    const std::set<std::int32_t> distinct(components->labels.begin(),
                                          components->labels.begin() + labelled_point_count);
    EXPECT_EQ(distinct.size(), 37U);
}

TEST_F(RealModelsTest, WrongColumnsAreInvalidAndSayWhatToSend) {
    Client client = serve("data/models/gnn");
    const std::vector<float> nodes(20);
    const std::vector<std::int64_t> edges{1, 0};
    const Inference result =
        client
            .infer("gnn", {{"nodes", tensor<float>({5, 4}, std::span<const float>(nodes))},
                           {"edge_index",
                            tensor<std::int64_t>({2, 1}, std::span<const std::int64_t>(edges))}})
            .get();
    EXPECT_EQ(result.status, CallStatus::invalid);
    EXPECT_NE(result.detail.find("nodes"), std::string::npos) << result.detail;
    EXPECT_NE(result.detail.find('4'), std::string::npos) << result.detail;
    EXPECT_NE(result.detail.find('3'), std::string::npos) << result.detail;
}

TEST_F(RealModelsTest, RealParticleNetRepositoryAnswersBatches) {
    const std::filesystem::path model = "../shared/data/triton_models/particlenet_AK4_PT";
    if (!std::filesystem::exists(model))
        GTEST_SKIP() << "the real CMS model is not here: " << model;
    Client client = serve(model);
    constexpr std::int64_t jets = 3;
    constexpr std::int64_t particles = 20;
    constexpr std::int64_t vertices = 3;
    const auto filled = [](Shape shape, float scale) {
        std::size_t count = 1;
        for (const auto dim : shape) count *= static_cast<std::size_t>(dim);
        std::vector<float> values(count);
        for (std::size_t i = 0; i < count; ++i) values[i] = scale * std::sin(static_cast<float>(i));
        return tensor<float>(std::move(shape), std::span<const float>(values));
    };
    const auto ones = [](Shape shape) {
        const std::vector<float> values(static_cast<std::size_t>(shape[0] * shape[1] * shape[2]),
                                        1);
        return tensor<float>(std::move(shape), std::span<const float>(values));
    };
    const Inference result =
        client
            .infer("particlenet_AK4_PT", {{"pf_points__0", filled({jets, 2, particles}, 0.3F)},
                                          {"pf_features__1", filled({jets, 20, particles}, 1)},
                                          {"pf_mask__2", ones({jets, 1, particles})},
                                          {"sv_points__3", filled({jets, 2, vertices}, 0.3F)},
                                          {"sv_features__4", filled({jets, 11, vertices}, 1)},
                                          {"sv_mask__5", ones({jets, 1, vertices})}})
            .get();
    ASSERT_TRUE(result.ok()) << result.detail;
    const Output softmax = result.output("softmax__0");
    const auto scores = softmax.as<float>();
    ASSERT_TRUE(scores) << scores.error().message;
    EXPECT_EQ(softmax.shape(), (Shape{jets, 8}));
    for (std::size_t jet = 0; jet < jets; ++jet) {
        float sum = 0;
        for (std::size_t i = 0; i < 8; ++i) sum += (*scores)[8 * jet + i];
        EXPECT_NEAR(sum, 1, 1e-4);
    }
}

/// The real repository with a config.pbtxt of our own beside a link to its version.
std::filesystem::path add_padding(const std::filesystem::path& model,
                                  const std::filesystem::path& target) {
    std::filesystem::create_directories(target);
    std::filesystem::create_directory_symlink(std::filesystem::absolute(model / "1"), target / "1");
    std::ofstream config(target / "config.pbtxt");
    config << std::ifstream(model / "config.pbtxt").rdbuf() << R"(
parameters { key: "farm.batch" value { string_value: "pad_mask" } }
parameters { key: "farm.pad_inputs" value {
  string_value: "pf_points__0+pf_features__1+pf_mask__2, sv_points__3+sv_features__4+sv_mask__5" } }
parameters { key: "farm.pad_minimum" value { string_value: "pf_points__0:9" } }
)";
    return target;
}

Inputs jet(std::int64_t particles, std::int64_t vertices, float seed) {
    const auto filled = [seed](Shape shape) {
        std::vector<float> values(static_cast<std::size_t>(shape[1] * shape[2]));
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = std::sin(seed + 1.7F * static_cast<float>(i));
        }
        return tensor<float>(std::move(shape), std::span<const float>(values));
    };
    const auto ones = [](Shape shape) {
        const std::vector<float> values(static_cast<std::size_t>(shape[2]), 1);
        return tensor<float>(std::move(shape), std::span<const float>(values));
    };
    return {{"pf_points__0", filled({1, 2, particles})},
            {"pf_features__1", filled({1, 20, particles})},
            {"pf_mask__2", ones({1, 1, particles})},
            {"sv_points__3", filled({1, 2, vertices})},
            {"sv_features__4", filled({1, 11, vertices})},
            {"sv_mask__5", ones({1, 1, vertices})}};
}

TEST_F(RealModelsTest, UnequalJetsShareRunsOfParticleNetAndGetWhatEachGetsAlone) {
    const std::filesystem::path model = "../shared/data/triton_models/particlenet_AK4_PT";
    if (!std::filesystem::exists(model))
        GTEST_SKIP() << "the real CMS model is not here: " << model;
    Client client = serve(add_padding(model, farm_.folder() / "mine" / model.filename()));
    const std::vector<std::int64_t> lengths = {8, 50, 33, 12, 3, 41, 47, 16, 9, 20, 36, 49};
    std::vector<std::vector<float>> alone;
    const auto scores_of = [](const Inference& result) {
        EXPECT_TRUE(result.ok()) << result.detail;
        const auto scores = result.output("softmax__0").as<float>();
        return scores ? std::vector<float>(scores->begin(), scores->end()) : std::vector<float>();
    };
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        alone.push_back(scores_of(
            client.infer("particlenet_AK4_PT", jet(lengths[i], 1 + i % 5, static_cast<float>(i)))
                .get()));
    }
    // Whether calls meet in a run is up to the load: as many rounds as it takes.
    std::uint32_t most_calls = 1;
    for (int round = 0; round < 50 && most_calls == 1; ++round) {
        std::vector<decltype(client.infer("", Inputs{}))> pending;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            pending.push_back(client.infer("particlenet_AK4_PT",
                                           jet(lengths[i], 1 + i % 5, static_cast<float>(i))));
        }
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            const Inference result = pending[i].get();
            most_calls = std::max(most_calls, result.timings.run_calls);
            const auto scores = scores_of(result);
            ASSERT_EQ(scores.size(), 8U);
            for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(scores[j], alone[i][j], 1e-5);
        }
    }
    EXPECT_GT(most_calls, 1U);
}

TEST_F(RealModelsTest, EdgeToAPointThatIsNotThereIsInvalidAndSaysWhere) {
    Client client = serve("data/models/gnn");
    const std::vector<float> nodes(6, 0.1F);
    const std::vector<std::int64_t> edges{1, 0, 0, 7};
    const Inference result =
        client
            .infer("gnn", {{"nodes", tensor<float>({2, 3}, std::span<const float>(nodes))},
                           {"edge_index",
                            tensor<std::int64_t>({2, 2}, std::span<const std::int64_t>(edges))}})
            .get();
    EXPECT_EQ(result.status, CallStatus::invalid);
    EXPECT_EQ(
        result.detail,
        "input 'edge_index' has 7 at [1, 1] (the call has 2 nodes): number nodes from 0 to 1");
}

}  // namespace
}  // namespace farm
