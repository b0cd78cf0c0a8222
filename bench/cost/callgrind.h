#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/cost/callgrind_profile.h"

namespace farm::bench {

/// One process under `valgrind --tool=callgrind`, which counts nothing until it is told to.
class Callgrind {
  public:
    /// `folder`: where its profiles go.
    explicit Callgrind(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// To be put before the command of the process.
    std::vector<std::string> prefix() const;

    /// Error: valgrind or callgrind_control is not there.
    static Result<void> available();

    /// Begins to count in that process, from zero. Returns when it does.
    Result<void> start(pid_t pid);
    /// Ends to count, and gives what was counted since start().
    Result<CallgrindProfile> finish(pid_t pid);

  private:
    Result<void> control(const std::vector<std::string>& arguments, pid_t pid);
    std::filesystem::path folder_;
};

}  // namespace farm::bench
