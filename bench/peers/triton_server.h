#pragma once

#include <filesystem>
#include <string>

#include "common/core/error.h"
#include "common/ops/process.h"

namespace farm::bench {

/// A Triton server on loopback with the models "identity" and "sum" of triton/echo_backend.cc.
/// Its process lives as long as the object.
class TritonServer {
  public:
    /// `root`: folder of the unpacked PyPI package nvidia-pytriton. Waits until it is ready. Errors
    /// name what is missing, or the log.
    static Result<TritonServer> start(const std::filesystem::path& root,
                                      const std::filesystem::path& scratch);

    const std::string& grpc_address() const { return grpc_; }
    const std::string& http_address() const { return http_; }

  private:
    TritonServer(ChildProcess child, std::string grpc, std::string http)
        : child_(std::move(child)), grpc_(std::move(grpc)), http_(std::move(http)) {}

    ChildProcess child_;
    std::string grpc_;
    std::string http_;
};

}  // namespace farm::bench
