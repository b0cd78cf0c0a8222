#include "gpu_worker/repository/repository.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "gpu_worker/repository/checksum.h"
#include "gpu_worker/repository/config_file.h"
#include "gpu_worker/repository/model_config.h"
#include "gpu_worker/repository/model_config.pb.h"
#include "gpu_worker/repository/versions.h"

namespace farm {

namespace {

namespace fs = std::filesystem;

/// A model before its versions are looked at.
struct Described {
    ModelSource source;
    inference::ModelConfig config;
};

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

// ---- checksum agent ---------------------------------------------------------------------------

Result<void> verify_checksum(const fs::path& folder, const std::string& key,
                             const std::string& expected) {
    constexpr std::string_view algorithm = "MD5:";
    if (!key.starts_with(algorithm)) {
        return fail(ErrorCode::invalid, "checksum '" + key +
                                            "' is not known (the checksum agent takes "
                                            "\"MD5:<version>/<file>\"): correct config.pbtxt");
    }
    const fs::path name = fs::path(key.substr(algorithm.size())).lexically_normal();
    if (name.empty() || name.is_absolute() || *name.begin() == "..") {
        return fail(ErrorCode::invalid, "checksum '" + key +
                                            "' is of a file outside the model's folder: name a "
                                            "file below it");
    }
    const Result<std::string> sum = md5_hex(folder / name);
    if (!sum) return tl::unexpected(sum.error());
    if (*sum == lower(expected)) return {};
    return fail(ErrorCode::invalid, "file '" + name.string() + "' has MD5 " + *sum +
                                        " (config.pbtxt says " + expected +
                                        "): restore the file or correct config.pbtxt");
}

Result<void> run_agents(const inference::ModelConfig& config, const fs::path& folder) {
    for (const auto& agent : config.model_repository_agents().agents()) {
        if (agent.name() != "checksum") {
            return fail(ErrorCode::invalid, "model_repository_agents names agent '" + agent.name() +
                                                "' (known: checksum): remove it");
        }
        for (const auto& [key, value] : agent.parameters()) {
            if (auto same = verify_checksum(folder, key, value); !same) return same;
        }
    }
    return {};
}

// ---- one model --------------------------------------------------------------------------------

Result<Described> describe_folder(const fs::path& folder) {
    Described described;
    std::error_code error;
    const fs::path config_file = folder / "config.pbtxt";
    if (!fs::exists(config_file, error) && !error) {
        described.source.model = folder.filename().string();
        described.source.folder = folder.string();
        described.source.backend = "pytorch";
        return described;
    }
    if (auto read = read_config(config_file, described.config); !read) {
        return tl::unexpected(read.error());
    }
    Result<ModelSource> source = describe_model(described.config, folder);
    if (!source) {
        return fail(source.error().code, config_file.string() + ": " + source.error().message);
    }
    described.source = std::move(*source);
    if (auto passed = run_agents(described.config, folder); !passed) {
        return tl::unexpected(passed.error());
    }
    return described;
}

std::string model_file_name(const inference::ModelConfig& config) {
    return config.default_model_filename().empty() ? "model.pt" : config.default_model_filename();
}

Result<ContentHash> hash_version(const ModelSource& source, const fs::path& version_folder) {
    std::error_code error;
    const bool has_files =
        fs::exists(version_folder, error) && !fs::is_empty(version_folder, error);
    if (has_files) return hash_folder(version_folder);
    return hash_file(fs::path(source.folder) / "config.pbtxt");
}

Result<ModelSource> describe_version(const Described& described, std::uint32_t version) {
    ModelSource source = described.source;
    source.version = version;
    const fs::path version_folder = fs::path(source.folder) / std::to_string(version);
    if (source.backend == "pytorch") {
        source.file = (version_folder / model_file_name(described.config)).string();
        std::error_code error;
        if (!fs::is_regular_file(source.file, error)) {
            return fail(ErrorCode::not_found,
                        source.file + " is not there (version " + std::to_string(version) +
                            " needs a TorchScript file): put it there, or name another one with "
                            "default_model_filename");
        }
    }
    const Result<ContentHash> hash = hash_version(source, version_folder);
    if (!hash) return tl::unexpected(hash.error());
    source.hash = *hash;
    return source;
}

Result<std::vector<std::uint32_t>> versions_to_serve(const Described& described) {
    const ModelSource& source = described.source;
    Result<std::vector<std::uint32_t>> present = list_versions(source.folder);
    if (!present) return present;
    if (present->empty() && source.backend == "reference") present->push_back(1);
    std::vector<std::uint32_t> chosen =
        choose_versions(*present, described.config.version_policy());
    if (!chosen.empty()) return chosen;
    return fail(ErrorCode::not_found, source.folder +
                                          " has no version to serve (versions are folders named "
                                          "1, 2, ...): add one, or change version_policy");
}

void add_versions(const Described& described, std::vector<RepositoryEntry>& entries) {
    const auto versions = versions_to_serve(described);
    if (!versions) {
        entries.push_back(LoadFailure{described.source.model, 0, versions.error().message});
        return;
    }
    for (const std::uint32_t version : *versions) {
        Result<ModelSource> source = describe_version(described, version);
        if (source) {
            source->latest = version == versions->back();
            entries.push_back(std::move(*source));
        } else {
            entries.push_back(LoadFailure{described.source.model, version, source.error().message});
        }
    }
}

void add_model(const fs::path& folder, std::vector<RepositoryEntry>& entries) {
    const std::string model = folder.filename().string();
    if (!is_service_name(model) || model.find('/') != std::string::npos) {
        entries.push_back(LoadFailure{model, 0,
                                      "model name '" + model +
                                          "' cannot be called (letters, digits, '_', '-' and '.' "
                                          "are possible, at most " +
                                          std::to_string(limits::name_bytes) +
                                          " bytes): rename the folder"});
        return;
    }
    const Result<Described> described = describe_folder(folder);
    if (described) {
        add_versions(*described, entries);
    } else {
        entries.push_back(LoadFailure{model, 0, described.error().message});
    }
}

// ---- the repository ---------------------------------------------------------------------------

Result<std::vector<fs::path>> model_folders(const fs::path& repository) {
    std::vector<fs::path> folders;
    std::error_code error;
    fs::directory_iterator entry(repository, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        std::error_code unreadable;
        const bool hidden = entry->path().filename().string().starts_with('.');
        if (!hidden && entry->is_directory(unreadable)) folders.push_back(entry->path());
    }
    if (error) {
        const bool missing = error == std::errc::no_such_file_or_directory;
        return fail(missing ? ErrorCode::not_found : ErrorCode::io,
                    "model repository '" + repository.string() + "' cannot be read (" +
                        error.message() + "): name a folder that has a folder for each model");
    }
    std::ranges::sort(folders);
    return folders;
}

}  // namespace

Result<std::vector<RepositoryEntry>> scan_repository(const fs::path& repository) {
    const auto folders = model_folders(repository);
    if (!folders) return tl::unexpected(folders.error());
    std::vector<RepositoryEntry> entries;
    for (const fs::path& folder : *folders) {
        add_model(folder, entries);
        if (entries.size() <= limits::services_per_worker_count) continue;
        return fail(ErrorCode::too_large,
                    "model repository '" + repository.string() + "' has more than " +
                        std::to_string(limits::services_per_worker_count) +
                        " models and versions (the limit of one worker): split it");
    }
    return entries;
}

}  // namespace farm
