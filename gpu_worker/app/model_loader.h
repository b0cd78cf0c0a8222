#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "common/net/bounded_queue.h"
#include "gpu_worker/app/executor.h"
#include "gpu_worker/backends/device.h"
#include "gpu_worker/core/model_source.h"
#include "gpu_worker/device/pinned_memory.h"

namespace farm {

/// A model that is ready: warmed up, with a measured cost curve in `served->ad.cost`.
struct ReadyModel {
    std::shared_ptr<ServedModel> served;
    std::vector<std::unique_ptr<BackendInstance>> instances;
    BatchHints hints;
    TensorList self_test;  ///< inputs of one warm-up run
};

/// Result of one entry of the repository; `ad.failure` says why there is no model.
struct LoadedEntry {
    ServiceAd ad;
    std::optional<ReadyModel> ready;
};

struct LoadOptions {
    std::filesystem::path repository;
    std::vector<std::string> only;  ///< models to serve; empty: all
    Device device;
    std::string worker_name;
    std::vector<Label> labels;
    std::uint32_t instances_override{0};     ///< 0: as config.pbtxt says
    std::shared_ptr<PinnedMemory> pinned{};  ///< for large inputs; null: ordinary memory
};

/// Loads, warms up and measures one entry. Blocking; any thread. Never throws.
LoadedEntry load_entry(const RepositoryEntry& entry, const LoadOptions& options);

/// The entries of the repository that these options want. Error: the folder cannot be read, or a
/// model of `only` is not in it.
Result<std::vector<RepositoryEntry>> wanted_entries(const LoadOptions& options);

/// Loads a repository on a thread of its own, one model after the other, so that the worker beats
/// meanwhile and the first model serves before the last is there.
class ModelLoader {
  public:
    /// `loaded` outlives the loader.
    ModelLoader(std::vector<RepositoryEntry> entries, LoadOptions options,
                BoundedQueue<LoadedEntry>& loaded);
    ~ModelLoader();  ///< waits for the model under way

  private:
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace farm
