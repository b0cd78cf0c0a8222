#include "gpu_worker/backends/run_failure.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace farm {

namespace {

using Texts = std::span<const std::string_view>;

/// As libtorch 2.11 begins what CUDA and its libraries say.
constexpr std::array<std::string_view, 12> device_texts = {
    "CUDA error",      "CUDA driver",          "CUDA out of memory", "device-side", "CUBLAS_STATUS",
    "CUSOLVER_STATUS", "CUSPARSE_STATUS",      "CUDNN_STATUS",       "cuDNN error", "cuFFT error",
    "NVRTC",           "CUDACachingAllocator",
};

constexpr std::array<std::string_view, 4> memory_texts = {
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUDA driver error: out of memory",
    "_STATUS_ALLOC_FAILED",
};

/// cudaGetErrorString() of the errors after which a context is of no use.
constexpr std::array<std::string_view, 18> lost_texts = {
    "uncorrectable ECC error",
    "uncorrectable NVLink error",
    "Invalid access of peer GPU memory over nvlink or a hardware error",
    "an illegal memory access was encountered",
    "the launch timed out and was terminated",
    "context is destroyed",
    "device-side assert triggered",
    "hardware stack error",
    "an illegal instruction was encountered",
    "misaligned address",
    "operation not supported on global/shared address space",
    "invalid program counter",
    "unspecified launch failure",
    "tensor memory not completely freed",
    "MPS client has been terminated by the server",
    "an async error has occured in external entity",  // their spelling
    "device(s) is/are busy or unavailable",
    "error: unknown error",
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

bool contains_any(std::string_view text, Texts parts) {
    return std::ranges::any_of(parts, [&](std::string_view part) { return contains(text, part); });
}

/// The interpreter's text is a traceback that ends in "RuntimeError: <what happened>".
std::string_view telling_line(std::string_view text) {
    constexpr std::string_view marker = "Error: ";
    if (const std::size_t at = text.rfind(marker); at != std::string_view::npos) {
        text.remove_prefix(at + marker.size());
    }
    const std::size_t start = text.find_first_not_of(" \n");
    if (start == std::string_view::npos) return "the model failed without a text";
    text.remove_prefix(start);
    return text.substr(0, std::min(text.find('\n'), limits::detail_bytes));
}

}  // namespace

RunFailure failure_of(std::string_view text) {
    RunFailure failure{Outcome::input_error, std::string(telling_line(text))};
    if (contains(text, "DefaultCPUAllocator")) failure.outcome = Outcome::retryable_fault;
    if (contains_any(text, device_texts)) failure.outcome = Outcome::device_fault;
    return failure;
}

bool is_out_of_memory(std::string_view text) { return contains_any(text, memory_texts); }

bool loses_device(std::string_view text) {
    return contains_any(text, device_texts) && contains_any(text, lost_texts);
}

}  // namespace farm
