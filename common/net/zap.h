#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "common/core/error.h"
#include "common/net/allow_list.h"
#include "common/net/context.h"

namespace farm {

/// The ZAP domain of every CURVE socket of ours; set and enforced, so that a missing handler
/// refuses instead of letting everybody in.
inline constexpr const char* zap_domain = "farm";

/// Answers libzmq's authentication requests (RFC 27) from an allow list.
///
/// One per process, made before the first CURVE Router and destroyed after the last, before the
/// Context. It runs a thread of its own; both callbacks run on it and must be thread-safe.
/// Refuses everything but CURVE, and any request that it does not understand.
class ZapServer {
  public:
    struct Callbacks {
        /// A key was refused: the peer's address and its key in Z85 ("" when it sent none).
        std::function<void(const std::string& address, const std::string& key)> refused;
        /// A file of the allow list was skipped, and why.
        std::function<void(const std::string& text)> problem;
    };

    /// Error when the folder is unreadable, or the process has a ZAP handler already.
    static Result<std::unique_ptr<ZapServer>> start(Context& context, std::string allow_folder,
                                                    Callbacks callbacks = {});
    ~ZapServer();
    ZapServer(const ZapServer&) = delete;
    ZapServer& operator=(const ZapServer&) = delete;

    std::uint64_t accepted_count() const { return accepted_.load(std::memory_order_relaxed); }
    std::uint64_t refused_count() const { return refused_.load(std::memory_order_relaxed); }

  private:
    ZapServer(AllowList list, Callbacks callbacks);
    void run();
    void answer_one();

    AllowList list_;
    Callbacks callbacks_;
    std::unique_ptr<zmq::socket_t> socket_;
    int stop_fd_{-1};
    std::atomic<std::uint64_t> accepted_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::thread thread_;
};

}  // namespace farm
