#include "gpu_worker/backends/run_failure.h"

#include <algorithm>
#include <array>
#include <string>

namespace farm {

namespace {

constexpr std::array device_texts = {
    std::string_view("CUDA error"),  std::string_view("CUDA out of memory"),
    std::string_view("device-side"), std::string_view("CUBLAS_STATUS"),
    std::string_view("cuDNN error"), std::string_view("CUSPARSE_STATUS"),
    std::string_view("NVRTC"),       std::string_view("CUDA driver"),
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
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
    const bool device = std::ranges::any_of(
        device_texts, [&](std::string_view part) { return contains(text, part); });
    if (device) failure.outcome = Outcome::device_fault;
    return failure;
}

}  // namespace farm
