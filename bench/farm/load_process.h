#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/load.h"
#include "common/core/error.h"
#include "common/ops/process.h"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace farm::bench {

/// A process of its own that measures when it is told to: what one thing under test does to its
/// heap and its threads does not reach the others, and each has its C library's defaults.
///
/// The parent's end. The child must run serve_loads() with the same URL. It dies with this object.
/// Used by one thread.
class LoadProcess {
  public:
    /// Starts the command (which must know `control_url`) and waits until it is ready. Errors: what
    /// the child says, or how it ended; `log` is where its output goes ("": ours).
    static Result<LoadProcess> start(const std::string& control_url,
                                     std::vector<std::string> command, const std::string& log);
    ~LoadProcess();
    LoadProcess(LoadProcess&&) noexcept;
    LoadProcess& operator=(LoadProcess&&) noexcept;

    Result<Sample> run(const Load& load);
    pid_t pid() const { return child_.pid(); }

  private:
    LoadProcess(std::unique_ptr<zmq::context_t> context, std::unique_ptr<zmq::socket_t> socket,
                ChildProcess child);
    Result<std::string> ask(const std::string& request);

    std::unique_ptr<zmq::context_t> context_;
    std::unique_ptr<zmq::socket_t> socket_;
    ChildProcess child_;
};

using RunLoad = std::function<Result<Sample>(const Load&)>;

/// The child's end: answers with what `run` gives, for ever. `run` may be an error: then the parent
/// is told and this returns. Returns the exit code.
int serve_loads(const std::string& control_url, Result<RunLoad> run);

}  // namespace farm::bench
