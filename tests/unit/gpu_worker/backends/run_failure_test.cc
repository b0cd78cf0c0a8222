#include "gpu_worker/backends/run_failure.h"

#include <gtest/gtest.h>

namespace farm {
namespace {

TEST(RunFailureTest, ModelErrorsAreInputErrorsWithTheTellingLine) {
    const RunFailure failure = failure_of(
        "The following operation failed in the TorchScript interpreter.\n"
        "Traceback of TorchScript (most recent call last):\n"
        "  File \"model.py\", line 3, in forward\n"
        "RuntimeError: The size of tensor a (3) must match the size of tensor b (4)\n");
    EXPECT_EQ(failure.outcome, Outcome::input_error);
    EXPECT_EQ(failure.detail, "The size of tensor a (3) must match the size of tensor b (4)");
}

TEST(RunFailureTest, DeviceTextsAreDeviceFaults) {
    EXPECT_EQ(failure_of("CUDA out of memory. Tried to allocate 2 GiB").outcome,
              Outcome::device_fault);
    EXPECT_EQ(failure_of("RuntimeError: CUDA error: device-side assert triggered\nmore").outcome,
              Outcome::device_fault);
}

TEST(RunFailureTest, NoHostMemoryMayBeElsewhere) {
    EXPECT_EQ(
        failure_of("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9").outcome,
        Outcome::retryable_fault);
}

TEST(RunFailureTest, EmptyTextGetsOne) {
    EXPECT_EQ(failure_of(" \n").detail, "the model failed without a text");
}

}  // namespace
}  // namespace farm
