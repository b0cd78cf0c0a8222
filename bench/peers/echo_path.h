#pragma once

#include <memory>
#include <string>

#include "bench/load/load.h"
#include "common/core/error.h"

namespace farm::bench {

/// A way to have bytes echoed by another process of this machine. Its server processes live as
/// long as the object. The client side of run() is one thread, the calling one.
class EchoPath {
  public:
    virtual ~EchoPath() = default;
    /// Answers are as long as questions (paths called *_read: a few bytes); the first answer of
    /// each run is compared with its question.
    virtual Result<Sample> run(const Load& load) = 0;
};

struct PathOptions {
    std::string executable;   ///< of this program, for `--serve`
    std::string farm_bin;     ///< folder of farm-broker and farm-worker; empty: this build's
    std::string scratch;      ///< folder for keys, models, sockets and logs, the path's own
    std::string triton_grpc;  ///< HOST:PORT of a Triton server; empty: there is none
    std::string triton_http;
};

}  // namespace farm::bench
