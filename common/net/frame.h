#pragma once

#include <cstddef>

#include "common/core/buffer.h"

namespace zmq {
class message_t;
}

namespace farm {

/// What libzmq last said about a socket, and whether it must be asked again. Asking (ZMQ_EVENTS)
/// costs system calls and consumes the edge of ZMQ_FD, so a socket that nothing has happened to
/// since is not asked: an idle bulk socket costs a busy control socket nothing.
class SocketEvents {
  public:
    /// Something was sent, received or signalled: what is known may be wrong.
    void touch() { stale_ = true; }
    bool stale() const { return stale_; }
    int known() const { return events_; }
    void learn(int events) {
        events_ = events;
        stale_ = false;
    }

  private:
    bool stale_{true};
    int events_{0};
};

/// Frames up to this size are copied into the message. Measured over ipc, copying and sending in
/// place cost the same up to about 8 KiB and in place wins above; a copy is let go at once.
inline constexpr std::size_t copied_send_bytes = 8 * 1024;
/// Received frames up to this size are copied out: libzmq keeps small frames in a shared block of
/// 8 KiB, which one kept frame would pin.
inline constexpr std::size_t copied_receive_bytes = 1024;

/// Received bytes as a Buffer that owns the message (or a copy of a small one). The address may
/// have any alignment.
Buffer buffer_of(zmq::message_t message);

/// A message to send. Larger buffers are passed in place: their last reference may be released on
/// an I/O thread, at the latest when the Context is destroyed.
zmq::message_t message_of(const Buffer& buffer);

}  // namespace farm
