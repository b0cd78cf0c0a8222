#include "gpu_worker/backends/run_failure.h"

#include <gtest/gtest.h>

#include <string>

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

/// libtorch 2.11: c10/cuda/CUDAException.cpp, CUDACachingAllocator.cpp, ATen/cuda/Exceptions.h,
/// and the texts of cudaGetErrorString().
std::string cuda_error(const std::string& what) {
    return "CUDA error: " + what +
           "\nSearch for `cudaError' in https://docs.nvidia.com/cuda/cuda-runtime-api/ for more "
           "information.\nCUDA kernel errors might be asynchronously reported at some other API "
           "call, so the stacktrace below might be incorrect.\nFor debugging consider passing "
           "CUDA_LAUNCH_BLOCKING=1\n";
}

std::string in_interpreter(const std::string& text) {
    return "The following operation failed in the TorchScript interpreter.\n"
           "Traceback of TorchScript, serialized code (most recent call last):\n"
           "  File \"code/__torch__.py\", line 4, in forward\nRuntimeError: " +
           text;
}

TEST(RunFailureTest, ErrorsAfterWhichNothingRunsLoseTheDevice) {
    for (const std::string what :
         {"uncorrectable ECC error encountered", "an illegal memory access was encountered",
          "unspecified launch failure", "misaligned address", "device-side assert triggered",
          "the launch timed out and was terminated", "an illegal instruction was encountered",
          "uncorrectable NVLink error detected during the execution", "unknown error"}) {
        SCOPED_TRACE(what);
        const RunFailure failure = failure_of(in_interpreter(cuda_error(what)));
        EXPECT_EQ(failure.outcome, Outcome::device_fault);
        EXPECT_EQ(failure.detail, "CUDA error: " + what);
        EXPECT_TRUE(loses_device(failure.detail));
        EXPECT_FALSE(is_out_of_memory(failure.detail));
    }
}

void expect_device_stays(const std::string& text, bool out_of_memory) {
    SCOPED_TRACE(text);
    const RunFailure failure = failure_of(in_interpreter(text));
    EXPECT_EQ(failure.outcome, Outcome::device_fault);
    EXPECT_EQ(is_out_of_memory(failure.detail), out_of_memory);
    EXPECT_FALSE(loses_device(failure.detail));
}

TEST(RunFailureTest, OutOfMemoryLeavesTheDeviceUsable) {
    for (const std::string& text :
         {std::string("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity "
                      "of 14.56 GiB of which 9.81 MiB is free. 2.00 GiB allowed; Process 1 has"),
          cuda_error("out of memory"), std::string("CUDA driver error: out of memory"),
          cuda_error("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
          std::string("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")}) {
        expect_device_stays(text, true);
    }
}

TEST(RunFailureTest, LibrariesOfTheDeviceFailWithoutLosingIt) {
    for (const std::string& text :
         {cuda_error("CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, opa)`"),
          cuda_error("invalid configuration argument"), cuda_error("invalid argument"),
          cuda_error("no kernel image is available for execution on the device"),
          std::string("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
          std::string("cuFFT error: CUFFT_EXEC_FAILED"),
          std::string("cusolver error: CUSOLVER_STATUS_EXECUTION_FAILED, when calling `x`")}) {
        expect_device_stays(text, false);
    }
}

TEST(RunFailureTest, AModelThatSpeaksOfAddressesLosesNothing) {
    EXPECT_FALSE(loses_device(failure_of("RuntimeError: misaligned address of the module").detail));
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
