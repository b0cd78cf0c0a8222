#include "gpu_worker/app/executor.h"

#include <gtest/gtest.h>

#include <new>
#include <optional>

#include "common/wire/body.h"
#include "gpu_worker/core/graph_union.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::floats;
using testing::integers;

/// Gives back its first input; a value of `bad` in it is an input error.
class EchoInstance : public BackendInstance {
  public:
    static constexpr float bad = -1;

    RunResult run(std::span<const Tensor> inputs) override {
        run_rows.push_back(inputs.front().desc.shape[0]);
        for (const float value : values_of(inputs.front())) {
            if (value != bad) continue;
            const bool is_alone = inputs.front().desc.shape[0] == 1;
            return tl::unexpected(is_alone && failure_alone ? *failure_alone
                                                            : RunFailure{failure, detail});
        }
        Tensor output = inputs.front();
        output.desc.name = "y";
        return TensorList{output};
    }

    Outcome failure{Outcome::input_error};
    std::string detail{"there is a bad value"};
    std::optional<RunFailure> failure_alone;
    std::vector<std::int64_t> run_rows;  ///< of each run
};

ServedModel serve(Signature signature, std::shared_ptr<const Batching> batching) {
    ServedModel served;
    served.batching = std::move(batching);
    served.ad.model = "m";
    served.ad.signature = std::move(signature);
    served.ad.batch = served.batching->rule();
    return served;
}

ServedModel serve_rows() {
    const Signature signature{{{"x", dtype::f32, {-1, 1}, false}},
                              {{"y", dtype::f32, {-1, 1}, false}}};
    return serve(signature, *batch_rows(signature));
}

RunJob job_of(const ServedModel& served, std::vector<TensorList> calls) {
    RunJob job{RunId{1}, {}};
    for (TensorList& call : calls) {
        const auto measured = served.batching->measure(call);
        EXPECT_TRUE(measured);
        job.calls.push_back({std::move(call), measured->rows});
    }
    return job;
}

RunJob one_good_one_bad(const ServedModel& served) {
    return job_of(served, {{floats("x", {1, 1}, {1})}, {floats("x", {1, 1}, {EchoInstance::bad})}});
}

TensorList output_of(const CallOutcome& call) {
    auto answer = unpack_answer(call.payload);
    EXPECT_TRUE(answer);
    return answer->tensors;
}

TEST(ExecutorTest, CallsOfARunGetTheirOwnRows) {
    const ServedModel served = serve_rows();
    EchoInstance instance;
    const RunDone done =
        execute(served, instance,
                job_of(served, {{floats("x", {2, 1}, {1, 2})}, {floats("x", {1, 1}, {3})}}));
    EXPECT_EQ(instance.run_rows, (std::vector<std::int64_t>{3}));
    EXPECT_EQ(done.timings.run_rows, 3U);
    ASSERT_EQ(done.calls.size(), 2U);
    EXPECT_EQ(values_of(output_of(done.calls[0]).at(0)), (std::vector<float>{1, 2}));
    EXPECT_EQ(values_of(output_of(done.calls[1]).at(0)), (std::vector<float>{3}));
}

TEST(ExecutorTest, CallsOfARunArePutTogetherInTheMemoryOfTheModel) {
    ServedModel served = serve_rows();
    std::vector<std::size_t> blocks;
    served.allocate = [&](std::size_t size) {
        blocks.push_back(size);
        return heap_block(size);
    };
    EchoInstance instance;
    execute(served, instance,
            job_of(served, {{floats("x", {2, 1}, {1, 2})}, {floats("x", {1, 1}, {3})}}));
    EXPECT_EQ(blocks, (std::vector<std::size_t>{12}));
}

TEST(ExecutorTest, BadValuesOfOneCallDoNotFailTheOthers) {
    const ServedModel served = serve_rows();
    EchoInstance instance;
    const RunDone done = execute(served, instance,
                                 job_of(served, {{floats("x", {1, 1}, {1})},
                                                 {floats("x", {1, 1}, {EchoInstance::bad})},
                                                 {floats("x", {1, 1}, {3})}}));
    EXPECT_EQ(instance.run_rows, (std::vector<std::int64_t>{3, 1, 1, 1}));
    ASSERT_EQ(done.calls.size(), 3U);
    EXPECT_EQ(done.calls[0].outcome, Outcome::ok);
    EXPECT_EQ(done.calls[1].outcome, Outcome::input_error);
    EXPECT_EQ(done.calls[1].detail, "there is a bad value");
    EXPECT_EQ(values_of(output_of(done.calls[2]).at(0)), (std::vector<float>{3}));
}

/// As where a network makes NaN of one event, or the host has no memory for a run of all.
TEST(ExecutorTest, ACallThatCannotRunHereDoesNotSendTheOthersAway) {
    const ServedModel served = serve_rows();
    EchoInstance instance;
    instance.failure = Outcome::retryable_fault;
    const RunDone done = execute(served, instance, one_good_one_bad(served));
    EXPECT_EQ(instance.run_rows, (std::vector<std::int64_t>{2, 1, 1}));
    EXPECT_EQ(done.calls[0].outcome, Outcome::ok);
    EXPECT_EQ(done.calls[1].outcome, Outcome::retryable_fault);
}

TEST(ExecutorTest, NothingRunsAgainWhenItsTimeIsUp) {
    const ServedModel served = serve_rows();
    EchoInstance instance;
    RunJob job = one_good_one_bad(served);
    job.expires = TimePoint{};
    const RunDone done = execute(served, instance, std::move(job));
    EXPECT_EQ(instance.run_rows.size(), 1U);
    EXPECT_EQ(done.calls[0].outcome, Outcome::retryable_fault);
    EXPECT_EQ(done.calls[0].detail, instance.detail);
}

TEST(ExecutorTest, NothingRunsAgainOnALostDevice) {
    const ServedModel served = serve_rows();
    EchoInstance instance;
    instance.failure = Outcome::retryable_fault;
    instance.failure_alone = {Outcome::device_fault, "CUDA error: unspecified launch failure"};
    const RunDone done = execute(served, instance,
                                 job_of(served, {{floats("x", {1, 1}, {1})},
                                                 {floats("x", {1, 1}, {EchoInstance::bad})},
                                                 {floats("x", {1, 1}, {3})}}));
    EXPECT_EQ(instance.run_rows, (std::vector<std::int64_t>{3, 1, 1}));
    EXPECT_EQ(done.calls[0].outcome, Outcome::ok);
    EXPECT_EQ(done.calls[1].outcome, Outcome::device_fault);
    EXPECT_EQ(done.calls[2].outcome, Outcome::retryable_fault);
    EXPECT_EQ(done.calls[2].detail, done.lost_device);
}

TEST(ExecutorTest, WhatIsNotIdempotentRunsOnce) {
    ServedModel served = serve_rows();
    served.ad.idempotent = false;
    for (const Outcome outcome : {Outcome::input_error, Outcome::retryable_fault}) {
        EchoInstance instance;
        instance.failure = outcome;
        const RunDone done = execute(served, instance, one_good_one_bad(served));
        EXPECT_EQ(instance.run_rows.size(), 1U);
        EXPECT_EQ(done.calls[0].outcome, Outcome::retryable_fault);
    }
}

TEST(ExecutorTest, WhatTheModelHasNotSeenRunsAloneThoughItIsNotIdempotent) {
    ServedModel served = serve_rows();
    served.ad.idempotent = false;
    served.allocate = [](std::size_t) -> MutableBuffer { throw std::bad_alloc(); };
    EchoInstance instance;
    const RunDone done = execute(
        served, instance, job_of(served, {{floats("x", {1, 1}, {1})}, {floats("x", {1, 1}, {2})}}));
    EXPECT_EQ(instance.run_rows, (std::vector<std::int64_t>{1, 1}));
    EXPECT_EQ(done.calls[1].outcome, Outcome::ok);
}

TEST(ExecutorTest, DeviceFaultIsNotTriedAgainHere) {
    const ServedModel served = serve_rows();
    EchoInstance instance;
    instance.failure = Outcome::device_fault;
    const RunDone done = execute(served, instance, one_good_one_bad(served));
    EXPECT_EQ(instance.run_rows.size(), 1U);
    EXPECT_EQ(done.calls[0].outcome, Outcome::device_fault);
    EXPECT_EQ(done.calls[1].outcome, Outcome::device_fault);
}

TEST(ExecutorTest, LostDeviceIsToldBesideTheFaults) {
    const ServedModel served = serve_rows();
    EchoInstance instance;
    instance.failure = Outcome::device_fault;
    const auto run = [&] {
        return execute(served, instance,
                       job_of(served, {{floats("x", {1, 1}, {EchoInstance::bad})}}));
    };
    instance.detail = "CUDA out of memory. Tried to allocate 2.00 GiB";
    EXPECT_EQ(run().lost_device, "");
    instance.detail = "CUDA error: uncorrectable ECC error encountered";
    const RunDone done = run();
    EXPECT_EQ(done.lost_device, instance.detail);
    EXPECT_EQ(done.calls[0].outcome, Outcome::device_fault);
    EXPECT_EQ(done.calls[0].detail, instance.detail);
}

TEST(ExecutorTest, GraphWithAnIndexOutOfItsNodesNeverReachesTheDevice) {
    const Signature signature{
        {{"nodes", dtype::f32, {-1, 1}, false}, {"edge_index", dtype::i64, {2, -1}, false}},
        {{"y", dtype::f32, {-1, 1}, false}}};
    const ServedModel served =
        serve(signature, *batch_graphs(signature, {{"edge_index"}, {"y"}, {}}));
    const TensorList good = {floats("nodes", {2, 1}, {1, 2}),
                             integers("edge_index", {2, 1}, {0, 1})};
    const TensorList bad = {floats("nodes", {2, 1}, {1, 2}),
                            integers("edge_index", {2, 1}, {0, 2})};
    EchoInstance instance;
    const RunDone together = execute(served, instance, job_of(served, {bad, good}));
    EXPECT_EQ(instance.run_rows, (std::vector<std::int64_t>{2}));
    EXPECT_EQ(together.calls[0].outcome, Outcome::input_error);
    EXPECT_EQ(together.calls[0].reason, Reason::bad_input);
    EXPECT_EQ(
        together.calls[0].detail,
        "input 'edge_index' has 2 at [1, 0] (the call has 2 nodes): number nodes from 0 to 1");
    EXPECT_EQ(together.calls[1].outcome, Outcome::ok);
    const RunDone alone = execute(served, instance, job_of(served, {bad}));
    EXPECT_EQ(instance.run_rows.size(), 1U);
    EXPECT_EQ(alone.calls[0].outcome, Outcome::input_error);
}

TEST(ExecutorTest, OutputOfAnotherCountIsADeviceFault) {
    const Signature signature{
        {{"nodes", dtype::f32, {-1, 1}, false}, {"edge_index", dtype::i64, {2, -1}, false}},
        {{"y", dtype::f32, {-1, 1}, false}}};
    const ServedModel served =
        serve(signature, *batch_graphs(signature, {{"edge_index"}, {}, {"y"}}));
    EchoInstance instance;
    const RunDone done = execute(served, instance,
                                 job_of(served, {{floats("nodes", {2, 1}, {1, 2}),
                                                  integers("edge_index", {2, 1}, {0, 1})}}));
    EXPECT_EQ(done.calls[0].outcome, Outcome::device_fault);
    EXPECT_EQ(done.calls[0].detail,
              "output 'y' has 2 rows (the run has 1 edges): correct farm.graph_edge_outputs");
}

}  // namespace
}  // namespace farm
