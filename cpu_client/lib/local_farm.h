#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/core/error.h"
#include "common/ops/process.h"

namespace farm {

struct LocalFarmOptions {
    std::filesystem::path models;               ///< Triton model repository
    std::vector<std::string> worker_arguments;  ///< more flags of farm-worker
};

/// A private farm-broker and farm-worker, children of this process that die with it, on Unix
/// sockets in a folder of their own that only this user can enter.
///
/// Programs are looked for in the folders of FARM_BIN_DIR (':' between them), beside the running
/// executable, and in PATH. Their output goes to broker.log and worker.log in the folder, which is
/// removed with the farm. Used by one thread at a time.
class LocalFarm {
  public:
    /// Returns when both run; models may still load. Errors: not_found (models folder, programs),
    /// io.
    static Result<std::unique_ptr<LocalFarm>> start(const LocalFarmOptions& options);
    ~LocalFarm();
    LocalFarm(const LocalFarm&) = delete;
    LocalFarm& operator=(const LocalFarm&) = delete;

    const std::string& url() const { return url_; }
    /// Why it cannot serve any more, with the last lines of the log; none while both run.
    std::optional<Error> failure();
    /// Names of the folders of the repository: what the worker will have, or fail to load.
    const std::vector<std::string>& model_names() const { return model_names_; }

  private:
    explicit LocalFarm(std::filesystem::path folder);
    Result<void> run(std::optional<ChildProcess>& child, const std::string& program,
                     std::vector<std::string> arguments);

    std::filesystem::path folder_;
    std::string url_;
    std::vector<std::string> model_names_;
    std::optional<ChildProcess> broker_;
    std::optional<ChildProcess> worker_;
};

}  // namespace farm
