#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/net/context.h"
#include "common/net/frame.h"

/// What Router and Dealer have in common. Private to common/net: the only header with zmq.hpp.
namespace farm {

/// A socket with every option of ours but the type's own. Error (io) when there is no room.
Result<std::unique_ptr<zmq::socket_t>> make_socket(Context& context, Lane lane,
                                                   zmq::socket_type type);

/// Frames are encrypted into somewhat larger ones, which the limit of 4.3.4 counts.
void allow_curve_overhead(zmq::socket_t& socket);

/// Asks libzmq when `events` is stale.
int events_of(zmq::socket_t& socket, SocketEvents& events);
int fd_of(zmq::socket_t& socket);

/// recv with DONTWAIT; false when there is nothing.
bool receive_frame(zmq::socket_t& socket, zmq::message_t& into);

/// Takes `first` and the frames that follow it; at most limits::frame_count + 1 are kept.
std::vector<Buffer> take_frames(zmq::socket_t& socket, zmq::message_t first);

/// Sends with DONTWAIT; 0 or errno. `more`: further frames follow.
int send_frame(zmq::socket_t& socket, zmq::message_t frame, bool more);

/// All frames of one message; 0 or errno of the frame that failed.
int send_frames(zmq::socket_t& socket, std::span<const Buffer> frames);

Error socket_error(const std::string& doing, int number);

}  // namespace farm
