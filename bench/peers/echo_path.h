#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/core/error.h"

namespace farm::bench {

/// One measurement: so many calls kept outstanding for so long, answers as large as questions.
struct Load {
    std::size_t bytes{1024};
    int outstanding{1};
    double seconds{1};
};

struct Sample {
    double calls_per_s{0};
    double p50_us{0};
    double p99_us{0};
};

/// Latencies of the calls of one measurement, turned into figures.
class Latencies {
  public:
    void add(double microseconds) { microseconds_.push_back(microseconds); }
    Sample summary(double seconds);

  private:
    std::vector<double> microseconds_;
};

/// A way to have bytes echoed by another process over loopback TCP. Its server processes live as
/// long as the object. The client side of run() is one thread, the calling one.
class EchoPath {
  public:
    virtual ~EchoPath() = default;
    virtual std::string name() const = 0;
    virtual Result<Sample> run(const Load& load) = 0;
};

struct PathOptions {
    std::string executable;  ///< of this program, for `--serve`
    std::string broker;      ///< program farm-broker
    std::string worker;      ///< program farm-worker
    std::string scratch;     ///< folder for keys, models and logs
};

Result<std::unique_ptr<EchoPath>> make_zmq_path(const PathOptions& options);
Result<std::unique_ptr<EchoPath>> make_zmq_proxy_path(const PathOptions& options);
Result<std::unique_ptr<EchoPath>> make_grpc_path(const PathOptions& options);
Result<std::unique_ptr<EchoPath>> make_routed_path(const PathOptions& options, bool curve);

/// Runs a server of this kind until it is killed: "zmq", "zmq-proxy", "grpc".
int serve(const std::string& kind, const std::string& url, const std::string& backend_url);

int serve_zmq_echo(const std::string& url, bool connects);
int serve_zmq_proxy(const std::string& front, const std::string& back);
int serve_grpc(const std::string& address);

}  // namespace farm::bench
