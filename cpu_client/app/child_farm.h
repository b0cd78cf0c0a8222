#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "common/ops/process.h"

namespace farm {

/// Folders with programs of ours, ":" between them: that of this executable, and those of its build
/// tree when it lies in one.
std::string program_folders();

/// Where a program of ours is: beside this executable, at its place in a build tree, or in PATH.
/// Error (not_found) names the places.
Result<std::string> find_program(const std::string& name);

/// A broker and workers as children of this process, for `farm up` and `farm demo`.
///
/// Owner: one command; used by the thread that made it (the children die with that thread). They
/// are in process groups of their own: Ctrl-C reaches only us. The destructor kills what is left.
class ChildFarm {
  public:
    struct Options {
        std::string bind_url;                ///< of the broker
        std::filesystem::path models;        ///< repository of every worker
        bool insecure{false};                ///< lets the broker listen on the network without keys
        std::filesystem::path log_folder{};  ///< <name>.log of each child; empty: our stderr
        std::vector<std::string> broker_options{};  ///< more flags
        std::vector<std::string> worker_options{};
    };

    /// Starts the broker. Errors: not_found, io, invalid (bind URL).
    static Result<ChildFarm> start(Options options);

    Result<void> start_worker(const std::string& name);
    /// SIGKILL; the worker's end is then no surprise.
    void kill_worker(const std::string& name);
    /// Error when a child has ended that should run: which one, how, and where its log is. A worker
    /// that ended in order (it was drained) is no error: its name is given, once.
    Result<std::vector<std::string>> check();
    /// Drains the workers, then the broker; kills who is not done after `grace`.
    void stop(std::chrono::milliseconds grace);

    /// Where clients on this machine reach the broker.
    const std::string& url() const { return url_; }

  private:
    ChildFarm(Options options, std::string url, std::string worker_program)
        : options_(std::move(options)),
          url_(std::move(url)),
          worker_program_(std::move(worker_program)) {}
    Result<ChildProcess> spawn(const std::string& name, std::vector<std::string> arguments) const;
    Error ended(const std::string& name, ExitStatus status) const;

    Options options_;
    std::string url_;
    std::string worker_program_;
    std::optional<ChildProcess> broker_;
    std::map<std::string, ChildProcess> workers_;
};

}  // namespace farm
