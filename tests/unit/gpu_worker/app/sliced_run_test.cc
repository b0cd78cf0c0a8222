#include "gpu_worker/app/sliced_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/wire/body.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using namespace std::chrono_literals;
using testing::floats;

/// Doubles its input row by row, remembers the rows of its runs, and fails when asked to.
class Doubler : public BackendInstance {
  public:
    RunResult run(std::span<const Tensor> inputs) override {
        runs.push_back(static_cast<std::uint32_t>(inputs[0].desc.shape[0]));
        if (runs.size() == failing_run) {
            return tl::unexpected(RunFailure{Outcome::retryable_fault, "out of memory"});
        }
        std::vector<float> values = values_of(inputs[0]);
        for (float& value : values) value *= 2;
        Shape shape = inputs[0].desc.shape;
        shape[1] += runs.size() == odd_run ? 1 : 0;
        values.resize(values.size() / static_cast<std::size_t>(inputs[0].desc.shape[1]) *
                      static_cast<std::size_t>(shape[1]));
        return TensorList{floats("y", shape, values)};
    }
    std::vector<std::uint32_t> runs;
    std::size_t failing_run{0};  ///< from 1
    std::size_t odd_run{0};      ///< gives one column too many
};

struct SlicedRunTest : ::testing::Test {
    SlicedRunTest() {
        served.ad.model = "m";
        served.batching = *batch_rows({});
        served.ad.batch = BatchRule::rows;
        served.ad.max_batch_rows = 100;
        served.ad.signature.outputs = {{"y", dtype::f32, {-1, 2}, false}};
    }
    static RunJob job(std::vector<std::uint32_t> slices, std::uint32_t rows = 7) {
        std::vector<float> values(2 * rows);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
        RunJob made;
        made.calls.push_back({{floats("x", {rows, 2}, values)}, rows});
        made.slices = std::move(slices);
        return made;
    }
    RunDone run(RunJob made) { return execute(served, instance, std::move(made)); }

    ServedModel served;
    Doubler instance;
};

TEST_F(SlicedRunTest, ResultEqualsTheUnslicedOne) {
    const RunDone whole = run(job({7}));
    const RunDone sliced = run(job({3, 2, 2}));
    EXPECT_EQ(instance.runs, (std::vector<std::uint32_t>{7, 3, 2, 2}));
    ASSERT_EQ(sliced.calls.size(), 1U);
    ASSERT_EQ(sliced.calls[0].outcome, Outcome::ok) << sliced.calls[0].detail;
    EXPECT_TRUE(std::ranges::equal(sliced.calls[0].payload.body.bytes(),
                                   whole.calls[0].payload.body.bytes()));
    EXPECT_EQ(sliced.calls[0].output_bytes, whole.calls[0].output_bytes);
}

TEST_F(SlicedRunTest, TellsHowLongEachSliceTook) {
    const RunDone done = run(job({3, 4}));
    ASSERT_EQ(done.slices.size(), 2U);
    EXPECT_EQ(done.slices[0].rows, 3U);
    EXPECT_EQ(done.slices[1].rows, 4U);
    EXPECT_GT(done.slices[0].took, 0ns);
    EXPECT_EQ(done.timings.run_rows, 7U);
}

TEST_F(SlicedRunTest, CallsThatShareARunAreOneSlice) {
    RunJob both = job({5}, 3);
    both.calls.push_back(job({}, 2).calls[0]);
    const RunDone done = run(std::move(both));
    EXPECT_EQ(instance.runs, std::vector<std::uint32_t>{5});
    ASSERT_EQ(done.slices.size(), 1U);
    EXPECT_EQ(done.slices[0].rows, 5U);
    EXPECT_EQ(done.calls.size(), 2U);
}

TEST_F(SlicedRunTest, AFailingSliceEndsTheCall) {
    instance.failing_run = 2;
    const RunDone done = run(job({3, 2, 2}));
    EXPECT_EQ(instance.runs.size(), 2U);
    EXPECT_EQ(done.calls[0].outcome, Outcome::retryable_fault);
    EXPECT_EQ(done.calls[0].detail, "out of memory");
}

TEST_F(SlicedRunTest, OutputsThatBreakTheSignatureAreADeviceFault) {
    instance.odd_run = 2;
    const RunDone done = run(job({3, 4}));
    EXPECT_EQ(done.calls[0].outcome, Outcome::device_fault);
    EXPECT_NE(done.calls[0].detail.find("'y'"), std::string::npos) << done.calls[0].detail;
}

TEST_F(SlicedRunTest, NoSliceBeginsAfterTheDeadline) {
    RunJob late = job({3, 4});
    late.expires = steady_now();
    const RunDone done = run(std::move(late));
    EXPECT_EQ(instance.runs, std::vector<std::uint32_t>{3});
    EXPECT_EQ(done.calls[0].outcome, Outcome::retryable_fault);
    EXPECT_NE(done.calls[0].detail.find("3 of 7 rows"), std::string::npos) << done.calls[0].detail;
}

}  // namespace
}  // namespace farm
