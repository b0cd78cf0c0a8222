#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "schemas/limits.h"

namespace zmq {
class context_t;
class socket_t;
}  // namespace zmq

namespace farm {

/// Which I/O thread carries a socket: chunks must not delay beats (2 lanes, 2 threads).
enum class Lane : unsigned char { control, bulk };

/// What is still queued in a closed socket is sent for at most this long: farewells, last answers.
inline constexpr auto socket_linger = std::chrono::milliseconds(500);
/// A connection that has not finished its ZMTP handshake by then is closed.
inline constexpr auto socket_handshake_timeout = std::chrono::seconds(10);

/// The libzmq context of a process, with one I/O thread per Lane.
///
/// Make one per process (several at a time can crash libsodium's random generator on exit) and
/// destroy it after every Router, Dealer and ZapServer, but before any memory that was sent without
/// a copy: the destructor waits for the I/O threads, at most about `socket_linger`. All signals are
/// blocked in libzmq's threads: 4.3.4 can lose a message to EINTR. Threads: making sockets is safe
/// from any thread. Throws std::runtime_error only when the system has no threads or file
/// descriptors left for the I/O threads.
class Context {
  public:
    /// `bulk_frame_bytes`: what a frame that comes to a bulk socket may have, at most.
    explicit Context(std::size_t bulk_frame_bytes = limits::frame_bytes);
    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    zmq::context_t& zmq() { return *context_; }
    std::size_t largest_frame(Lane lane) const {
        return lane == Lane::bulk ? bulk_frame_bytes_ : limits::frame_bytes;
    }

  private:
    std::unique_ptr<zmq::context_t> context_;
    std::size_t bulk_frame_bytes_;
};

}  // namespace farm
