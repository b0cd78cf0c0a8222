// A real CMS jet tagger from its own repository entry, which is not ours to copy.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <random>

#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/core/input_check.h"
#include "gpu_worker/repository/config_file.h"
#include "gpu_worker/repository/model_config.h"
#include "gpu_worker/repository/model_config.pb.h"
#include "gpu_worker/repository/repository.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;

const std::filesystem::path repository = "../shared/data/triton_models";

/// Jets with particles and secondary vertices of random features, all of them there.
TensorList random_jets(const Signature& signature, std::int64_t jets, std::int64_t particles,
                       std::int64_t vertices, std::mt19937& engine) {
    std::normal_distribution<float> feature;
    TensorList call;
    for (const TensorSpec& spec : signature.inputs) {
        const bool mask = spec.name.find("mask") != std::string::npos;
        const std::int64_t length = spec.name.starts_with("pf") ? particles : vertices;
        const Shape shape = {jets, spec.dims[1], length};
        std::vector<float> values(static_cast<std::size_t>(jets * spec.dims[1] * length));
        for (float& value : values) value = mask ? 1.0F : feature(engine);
        call.push_back(floats(spec.name, shape, values));
    }
    return call;
}

/// The rule that these parameters give the real configuration.
std::shared_ptr<const Batching> padding(const std::map<std::string, std::string>& parameters) {
    inference::ModelConfig config;
    const std::filesystem::path folder = repository / "particlenet_AK4_PT";
    EXPECT_TRUE(read_config(folder / "config.pbtxt", config));
    for (const auto& [key, value] : parameters) {
        (*config.mutable_parameters())[key].set_string_value(value);
    }
    const auto source = describe_model(config, folder);
    EXPECT_TRUE(source) << source.error().message;
    return source ? source->batching : nullptr;
}

/// Particles and vertices are two sets; the network looks for 8 neighbours of each among both.
std::shared_ptr<const Batching> usual_padding() {
    return padding({{"farm.batch", "pad_mask"},
                    {"farm.pad_inputs",
                     "pf_points__0+pf_features__1+pf_mask__2, sv_points__3+sv_features__4+"
                     "sv_mask__5"},
                    {"farm.pad_minimum", "pf_points__0:9"}});
}

class ParticleNetTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(repository)) {
            GTEST_SKIP() << "the CMS repository is not at " << repository
                         << " (it is not ours to copy)";
        }
        const auto entries = scan_repository(repository);
        ASSERT_TRUE(entries) << entries.error().message;
        const auto* source = std::get_if<ModelSource>(&entries->front());
        ASSERT_NE(source, nullptr) << std::get<LoadFailure>(entries->front()).reason;
        source_ = *source;
        const auto model = load_model(source_, *resolve_device("cpu"));
        ASSERT_TRUE(model) << model.error().message;
        model_ = *model;
        auto instance = model_->make_instance();
        ASSERT_TRUE(instance) << instance.error().message;
        instance_ = std::move(*instance);
    }

    std::vector<float> run(const TensorList& inputs) {
        const RunResult outputs = instance_->run(inputs);
        EXPECT_TRUE(outputs) << outputs.error().detail;
        return outputs ? values_of(outputs->front()) : std::vector<float>{};
    }

    std::vector<TensorList> run_together(const Batching& batching,
                                         const std::vector<TensorList>& calls) {
        std::vector<const TensorList*> pointers;
        for (const TensorList& call : calls) pointers.push_back(&call);
        const auto inputs = batching.combine(pointers, heap_block);
        EXPECT_TRUE(inputs) << inputs.error().message;
        const RunResult outputs = instance_->run(*inputs);
        EXPECT_TRUE(outputs) << outputs.error().detail;
        if (!outputs) return {};
        std::uint32_t rows = 0;
        for (const TensorList& call : calls) rows += row_count(call);
        const auto checked = check_outputs(model_->service(), rows, *outputs);
        EXPECT_TRUE(checked) << checked.error().message;
        const auto parts = batching.split(*outputs, pointers);
        EXPECT_TRUE(parts) << parts.error().message;
        return parts ? *parts : std::vector<TensorList>{};
    }

    /// Largest difference between what the calls get together and what `alone` gives each.
    float difference(const Batching& batching, const std::vector<TensorList>& calls,
                     const std::function<TensorList(const TensorList&)>& alone) {
        const auto parts = run_together(batching, calls);
        float largest = 0;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const auto together = values_of(parts.at(i).front());
            const auto expected = run(alone(calls[i]));
            EXPECT_EQ(together.size(), 8U * row_count(calls[i]));
            EXPECT_EQ(together.size(), expected.size());
            for (std::size_t j = 0; j < expected.size(); ++j) {
                EXPECT_TRUE(std::isfinite(together[j]));
                largest = std::max(largest, std::abs(together[j] - expected[j]));
            }
        }
        return largest;
    }

    ModelSource source_;
    std::shared_ptr<LoadedModel> model_;
    std::unique_ptr<BackendInstance> instance_;
};

/// Probabilities of float32 after a network of some 20 layers.
constexpr float rounding = 1e-5F;

TEST_F(ParticleNetTest, BatchOfCallsEqualsCallsOneByOne) {
    std::mt19937 engine(4);
    std::vector<TensorList> calls;
    for (const std::uint32_t jets : {1, 5, 2}) {
        calls.push_back(random_jets(source_.signature, jets, 30, 5, engine));
        ASSERT_TRUE(check_inputs(model_->service(), calls.back()));
    }
    const auto as_it_is = [](const TensorList& call) { return call; };
    EXPECT_LE(difference(*source_.batching, calls, as_it_is), rounding);
    const auto scores = run(calls.front());
    EXPECT_NEAR(std::accumulate(scores.begin(), scores.end(), 0.0F), 1.0F, 1e-5F);
}

TEST_F(ParticleNetTest, UnequalJetsTogetherEqualEachAloneWithoutPadding) {
    const auto batching = usual_padding();
    ASSERT_NE(batching, nullptr);
    std::mt19937 engine(5);
    for (unsigned round = 0; round < 4; ++round) {
        std::vector<TensorList> calls;
        for (unsigned i = 0; i < 8; ++i) {
            const std::int64_t particles = 9 + engine() % 42;
            const std::int64_t vertices = 1 + engine() % 5;
            const std::int64_t jets = round % 2 == 0 ? 1 : 1 + engine() % 3;
            calls.push_back(random_jets(source_.signature, jets, particles, vertices, engine));
            ASSERT_TRUE(batching->runs_as_it_is(calls.back()));
        }
        const float largest =
            difference(*batching, calls, [](const TensorList& call) { return call; });
        EXPECT_LE(largest, rounding);
        RecordProperty("largest_difference_" + std::to_string(round), std::to_string(largest));
    }
}

TEST_F(ParticleNetTest, JetsBelowTheNetworksMinimumAreServedAlikeAloneAndTogether) {
    const auto batching = usual_padding();
    ASSERT_NE(batching, nullptr);
    std::mt19937 engine(6);
    std::vector<TensorList> calls;
    for (const std::int64_t particles : {8, 1, 3, 50, 6}) {
        calls.push_back(random_jets(source_.signature, 1, particles, 1, engine));
    }
    ASSERT_FALSE(instance_->run(calls[1]));  // 2 points in all, and no padding
    const auto padded = [&](const TensorList& call) { return *lone_run(*batching, call); };
    EXPECT_LE(difference(*batching, calls, padded), rounding);
    // 8 particles and 1 vertex are enough: padding to 9 must not show.
    const auto as_it_is = run(calls[0]);
    const auto alone = run(padded(calls[0]));
    for (std::size_t j = 0; j < as_it_is.size(); ++j) EXPECT_NEAR(alone[j], as_it_is[j], rounding);
}

}  // namespace
}  // namespace farm
