#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "common/core/clock.h"
#include "common/core/error.h"
#include "cpu_client/lib/client.h"

namespace farm::bench {

/// Large calls one after the other, from a thread of its own, at most one each `period`.
///
/// Begins with the constructor, which also makes the tensor (some 100 ms). The destructor waits for
/// the call that is open. The client is shared with whoever else calls.
class Stream {
  public:
    Stream(Client& client, std::string model, std::size_t bytes, Duration period);
    ~Stream() { stop(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Ends it; the calls that ended OK, or why one did not.
    Result<std::uint64_t> stop();

  private:
    void run();

    Client& client_;
    std::string model_;
    Inputs inputs_;
    Duration period_;
    std::uint64_t calls_{0};  ///< these two are the thread's until it has been joined
    std::string problem_;
    std::atomic<bool> ends_{false};
    std::thread thread_;
};

}  // namespace farm::bench
