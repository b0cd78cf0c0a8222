#include <torch/cuda.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "gpu_worker/backends/torch_backend.h"

namespace farm {

namespace {

/// The models that the driver lists. Its order is not CUDA's, so a name is certain only if all
/// devices have it.
std::set<std::string> driver_names() {
    constexpr std::string_view field = "Model:";
    std::set<std::string> names;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", error)) {
        std::ifstream information(entry.path() / "information");
        for (std::string line; std::getline(information, line);) {
            if (!line.starts_with(field)) continue;
            const std::size_t start = line.find_first_not_of(" \t", field.size());
            if (start != std::string::npos) names.insert(line.substr(start, limits::name_bytes));
        }
    }
    return names;
}

}  // namespace

int cuda_device_count() {
    try {
        return torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
    } catch (const std::exception&) {
        return 0;
    }
}

std::string cuda_device_name(int index) {
    const std::set<std::string> names = driver_names();
    return names.size() == 1 ? *names.begin() : "cuda:" + std::to_string(index);
}

}  // namespace farm
