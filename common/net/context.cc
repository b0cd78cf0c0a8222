#include "common/net/context.h"

#include <zmq.hpp>

#include "common/net/all_signals_blocked.h"

namespace farm {
namespace {

constexpr int lane_count = 2;
/// ZMQ_MAX_SOCKETS: a process holds a few sockets; tests of many clients hold a few hundred.
constexpr int socket_count = 4096;

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
