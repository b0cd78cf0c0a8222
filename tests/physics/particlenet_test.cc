// A real CMS jet tagger from its own repository entry, which is not ours to copy.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/core/combine.h"
#include "gpu_worker/core/input_check.h"
#include "gpu_worker/repository/repository.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::values_of;

/// Jets with 30 particles and 5 secondary vertices of random features, all of them there.
TensorList random_jets(const Signature& signature, std::int64_t jets, std::mt19937& engine) {
    std::normal_distribution<float> feature;
    TensorList call;
    for (const TensorSpec& spec : signature.inputs) {
        const bool mask = spec.name.find("mask") != std::string::npos;
        const std::int64_t length = spec.name.starts_with("pf") ? 30 : 5;
        const Shape shape = {jets, spec.dims[1], length};
        std::vector<float> values(static_cast<std::size_t>(jets * spec.dims[1] * length));
        for (float& value : values) value = mask ? 1.0F : feature(engine);
        call.push_back(floats(spec.name, shape, values));
    }
    return call;
}

TEST(ParticleNetTest, BatchOfCallsEqualsCallsOneByOne) {
    const std::filesystem::path repository = "../shared/data/triton_models";
    if (!std::filesystem::exists(repository)) {
        GTEST_SKIP() << "the CMS repository is not at " << repository
                     << " (it is not ours to copy)";
    }
    const auto entries = scan_repository(repository);
    ASSERT_TRUE(entries) << entries.error().message;
    const auto* source = std::get_if<ModelSource>(&entries->front());
    ASSERT_NE(source, nullptr) << std::get<LoadFailure>(entries->front()).reason;
    const auto model = load_model(*source, *resolve_device("cpu"));
    ASSERT_TRUE(model) << model.error().message;
    const auto instance = (*model)->make_instance();
    ASSERT_TRUE(instance) << instance.error().message;

    std::mt19937 engine(4);
    const std::vector<std::uint32_t> rows = {1, 5, 2};
    std::vector<TensorList> calls;
    std::vector<const TensorList*> pointers;
    for (const std::uint32_t jets : rows) {
        calls.push_back(random_jets(source->signature, jets, engine));
        ASSERT_TRUE(check_inputs((*model)->service(), calls.back()));
    }
    for (const TensorList& call : calls) pointers.push_back(&call);
    const RunResult batch = (*instance)->run(combine_rows(pointers));
    ASSERT_TRUE(batch) << batch.error().detail;
    ASSERT_TRUE(check_outputs((*model)->service(), 8, *batch));
    const auto parts = split_rows(*batch, rows);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const RunResult alone = (*instance)->run(calls[i]);
        ASSERT_TRUE(alone) << alone.error().detail;
        const auto expected = values_of(alone->front());
        const auto actual = values_of(parts[i].front());
        ASSERT_EQ(actual.size(), rows[i] * 8U);
        for (std::size_t j = 0; j < actual.size(); ++j) EXPECT_NEAR(actual[j], expected[j], 1e-5);
        EXPECT_NEAR(expected[0] + expected[1] + expected[2] + expected[3] + expected[4] +
                        expected[5] + expected[6] + expected[7],
                    1.0F, 1e-5F);
    }
}

}  // namespace
}  // namespace farm
