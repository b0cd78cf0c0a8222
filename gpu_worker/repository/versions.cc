#include "gpu_worker/repository/versions.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include "gpu_worker/repository/model_config.pb.h"

namespace farm {

namespace {

std::optional<std::uint32_t> version_of(const std::string& name) {
    std::uint32_t version = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, version);
    if (error != std::errc() || stop != end || name.front() == '0') return std::nullopt;
    return version;
}

std::vector<std::uint32_t> specific_versions(
    const inference::ModelVersionPolicy::Specific& specific) {
    std::vector<std::uint32_t> versions;
    for (const std::int64_t version : specific.versions()) {
        const bool possible = version > 0 && version <= std::numeric_limits<std::uint32_t>::max();
        if (possible) versions.push_back(static_cast<std::uint32_t>(version));
    }
    std::ranges::sort(versions);
    versions.erase(std::ranges::unique(versions).begin(), versions.end());
    return versions;
}

}  // namespace

Result<std::vector<std::uint32_t>> list_versions(const std::filesystem::path& model_folder) {
    std::vector<std::uint32_t> versions;
    std::error_code error;
    std::filesystem::directory_iterator entry(model_folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        const std::optional<std::uint32_t> version = version_of(entry->path().filename().string());
        std::error_code unreadable;
        if (version && entry->is_directory(unreadable)) versions.push_back(*version);
    }
    if (error) {
        return fail(ErrorCode::io, model_folder.string() + ": cannot be listed (" +
                                       error.message() + "): check the folder and its permissions");
    }
    std::ranges::sort(versions);
    return versions;
}

std::vector<std::uint32_t> choose_versions(const std::vector<std::uint32_t>& present,
                                           const inference::ModelVersionPolicy& policy) {
    if (policy.has_all()) return present;
    if (policy.has_specific()) return specific_versions(policy.specific());
    const std::size_t wanted = std::max(policy.latest().num_versions(), 1U);
    const std::size_t count = std::min(wanted, present.size());
    return {present.end() - static_cast<std::ptrdiff_t>(count), present.end()};
}

}  // namespace farm
