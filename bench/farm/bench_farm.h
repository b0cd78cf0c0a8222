#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bench/farm/programs.h"
#include "common/ops/process.h"
#include "cpu_client/lib/client.h"

namespace farm::bench {

/// A small farm of the real programs: one broker on loopback TCP, and workers.
///
/// The children die with this object, or with the process. Each writes its log to
/// <scratch>/<name>.log. Used by one thread.
class BenchFarm {
  public:
    struct Options {
        Programs programs;
        std::filesystem::path scratch;
        std::vector<std::string>
            broker_prefix{};  ///< a command before the broker: taskset, valgrind
        std::vector<std::string> broker_options{};
        std::string address{"127.0.0.1"};
    };
    struct Worker {
        std::string name{"worker"};
        std::filesystem::path models;
        std::vector<std::string> prefix{};
        std::vector<std::string> options{};
        std::string device{"cpu"};
    };

    /// Starts the broker.
    static Result<BenchFarm> start(Options options);
    Result<void> start_worker(const Worker& worker);

    /// Waits until workers serve these models. Error: one does not load, a child has ended, or
    /// `timeout` is over.
    Result<void> wait_for(Client& client, const std::vector<std::string>& models,
                          std::chrono::seconds timeout);

    const std::string& url() const { return url_; }
    /// "broker", or a worker's name.
    pid_t pid(const std::string& name) const { return children_.at(name).pid(); }
    /// SIGTERM to all, workers first, and waits: they finish what they write at their end.
    void stop();

  private:
    explicit BenchFarm(Options options);
    Result<void> spawn(const std::string& name, const std::vector<std::string>& prefix,
                       std::vector<std::string> command);
    Result<void> check();
    /// Error: a worker says why it does not serve one of them.
    Result<bool> serves_all(const StatusReport& report,
                            const std::vector<std::string>& models) const;
    std::string log(const std::string& name) const {
        return (options_.scratch / (name + ".log")).string();
    }

    Options options_;
    std::string url_;
    std::map<std::string, ChildProcess> children_;
};

}  // namespace farm::bench
