#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/core/error.h"

namespace farm {

/// One sample. Samples of one name must have the same kind and help text.
struct Metric {
    enum class Kind : std::uint8_t { counter, gauge };

    Kind kind{Kind::gauge};
    std::string name;  ///< "farm_broker_calls_total": letters, digits, '_'
    std::string help;
    double value{0};
    std::vector<std::pair<std::string, std::string>> labels;
};
using MetricSnapshot = std::vector<Metric>;

/// The last snapshot that a loop has published, for the thread that serves it.
class SharedSnapshot {
  public:
    void publish(MetricSnapshot snapshot);
    MetricSnapshot read() const;

  private:
    mutable std::mutex mutex_;
    MetricSnapshot snapshot_;
};

/// Serves http://host:port/metrics in Prometheus's text format, from threads of its own.
/// Only made when `--metrics` asks for it: an idle program has no such threads.
class MetricsServer {
  public:
    /// `fill` runs on a serving thread at every scrape and must be thread-safe; usually it reads a
    /// SharedSnapshot. `address` is "host:port" or "port" (then 127.0.0.1); port 0 takes a free
    /// one. Errors (invalid, io) name the address.
    static Result<std::unique_ptr<MetricsServer>> start(const std::string& address,
                                                        std::function<MetricSnapshot()> fill);
    ~MetricsServer();
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;

    std::uint16_t port() const;

  private:
    struct Impl;
    explicit MetricsServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace farm
