#include "common/net/context.h"

#include <csignal>

#include <pthread.h>

#include <zmq.hpp>

namespace farm {
namespace {

constexpr int lane_count = 2;
/// ZMQ_MAX_SOCKETS: a process holds a few sockets; tests of many clients hold a few hundred.
constexpr int socket_count = 4096;

/// Threads inherit the mask of the thread that starts them.
class AllSignalsBlocked {
  public:
    AllSignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

}  // namespace

Context::Context(std::size_t bulk_frame_bytes)
    : context_(std::make_unique<zmq::context_t>(lane_count, socket_count)),
      bulk_frame_bytes_(bulk_frame_bytes) {
    context_->set(zmq::ctxopt::blocky, false);
    const AllSignalsBlocked guard;
    zmq::socket_t starts_the_threads(*context_, zmq::socket_type::dealer);
}

Context::~Context() = default;

}  // namespace farm
