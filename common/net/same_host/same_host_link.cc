#include "common/net/same_host/same_host_link.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

#include "schemas/limits.h"

namespace farm {
namespace {

/// Packets read for one message at most; news of memory come between messages.
constexpr int packets_per_message = 64;

/// Room for one descriptor beside a packet.
union DescriptorRoom {
    cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

struct Received {
    ssize_t size{0};
    UniqueFd fd;
    bool is_whole{true};  ///< the packet
    bool has_all_fds{true};
};

UniqueFd descriptor_of(msghdr& message) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part), sizeof(fd));
        return UniqueFd(fd);
    }
    return UniqueFd();
}

Received receive_packet(int socket, std::span<char> into) {
    DescriptorRoom room{};
    iovec bytes{into.data(), into.size()};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = room.bytes;
    // Not all of the room, whose padding would take a second descriptor that nobody closes.
    message.msg_controllen = CMSG_LEN(sizeof(int));
    Received received;
    do {
        received.size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (received.size < 0 && errno == EINTR);
    if (received.size <= 0) return received;
    received.fd = descriptor_of(message);
    received.is_whole = (message.msg_flags & MSG_TRUNC) == 0;
    received.has_all_fds = (message.msg_flags & MSG_CTRUNC) == 0;
    return received;
}

}  // namespace

SameHostLink::SameHostLink(UniqueFd socket, pid_t peer, std::shared_ptr<SharedArena> arena,
                           std::uint64_t held_bytes_limit)
    : socket_(std::move(socket)),
      peer_(peer),
      arena_(std::move(arena)),
      borrowings_(held_bytes_limit) {}

// ---- sending ----------------------------------------------------------------------------------

SendResult SameHostLink::send(std::span<const Buffer> frames) {
    tell_of_dropped_regions();
    MessagePacket packet;
    packet.frames.reserve(frames.size());
    std::size_t inlined_bytes = 0;
    for (const Buffer& frame : frames) {
        auto placed = place(frame, inlined_bytes);
        if (!placed) return SendResult::full;
        packet.frames.push_back(*placed);
    }
    // After the frames: what they name must still be ours.
    packet.returns = borrowings_.take_returns(limits::packet_return_count);
    const SendResult result = send(std::move(packet));
    while (borrowings_.has_returns()) {
        send(MessagePacket{{}, borrowings_.take_returns(limits::packet_return_count)});
    }
    return result;
}

/// Nothing when there is no shared memory left.
std::optional<PacketFrame> SameHostLink::place(const Buffer& frame, std::size_t& inlined_bytes) {
    if (frame.size() <= inlined_frame_bytes &&
        inlined_bytes + frame.size() <= limits::packet_inline_bytes) {
        inlined_bytes += frame.size();
        PacketFrame inlined;
        inlined.size_bytes = frame.size();
        inlined.bytes = frame.bytes();
        return inlined;
    }
    if (const auto own = borrowings_.find(frame.bytes())) return own;
    if (const auto place = arena_->find(frame.bytes())) return lend(frame, *place);
    auto block = arena_->allocate(frame.size());
    if (!block) return std::nullopt;
    std::memcpy(block->data(), frame.data(), frame.size());
    const Buffer copy = std::move(*block).freeze();
    return lend(copy, *arena_->find(copy.bytes()));
}

PacketFrame SameHostLink::lend(const Buffer& frame, const SharedArena::Place& place) {
    if (told_regions_.insert(place.region).second) {
        auto region = arena_->region(place.region);
        const RegionPacket news{place.region, region->size()};
        send(news, std::move(region));
    }
    PacketFrame lent;
    lent.place = PacketFrame::Place::lent;
    lent.region = place.region;
    lent.loan = loans_.add(frame);
    lent.offset = place.offset;
    lent.size_bytes = frame.size();
    return lent;
}

void SameHostLink::tell_of_dropped_regions() {
    const std::uint64_t dropped_count = arena_->dropped_count();
    if (std::exchange(dropped_count_, dropped_count) == dropped_count) return;
    std::erase_if(told_regions_, [this](std::uint32_t number) {
        if (arena_->region(number)) return false;
        send(RegionGonePacket{number});
        return true;
    });
}

SendResult SameHostLink::send(Packet packet, std::shared_ptr<SharedRegion> region) {
    if (failed_) return SendResult::gone;
    Unsent unsent{encode_packet(packet), std::move(region)};
    const SendResult result = unsent_.empty() ? push(unsent) : SendResult::full;
    if (result == SendResult::full && unsent_.size() < limits::unsent_packet_count) {
        unsent_.push_back(std::move(unsent));
        return SendResult::sent;
    }
    failed_ = result != SendResult::sent;
    return result;
}

/// `full`: the socket takes no more for now.
SendResult SameHostLink::push(const Unsent& packet) const {
    DescriptorRoom room{};
    iovec bytes{const_cast<char*>(packet.bytes.data()), packet.bytes.size()};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (packet.region) {
        message.msg_control = room.bytes;
        message.msg_controllen = sizeof(room.bytes);
        cmsghdr* part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = packet.region->fd();
        std::memcpy(CMSG_DATA(part), &fd, sizeof(fd));
    }
    while (::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno == EINTR) continue;
        const bool is_full =
            errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ETOOMANYREFS;
        return is_full ? SendResult::full : SendResult::gone;
    }
    return SendResult::sent;
}

bool SameHostLink::flush() {
    while (!failed_ && !unsent_.empty()) {
        const SendResult result = push(unsent_.front());
        if (result == SendResult::full) return true;
        failed_ = result != SendResult::sent;
        unsent_.pop_front();
    }
    return !failed_;
}

// ---- receiving --------------------------------------------------------------------------------

Result<std::optional<std::vector<Buffer>>> SameHostLink::receive() {
    thread_local std::array<char, limits::packet_bytes> room;
    for (int i = 0; i < packets_per_message; ++i) {
        Received received = receive_packet(socket_.get(), room);
        if (received.size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
        if (received.size <= 0) return fail(ErrorCode::unavailable, "the connection is gone");
        if (!received.has_all_fds && !received.fd) {
            return fail(ErrorCode::io, "no descriptor is left for a peer's memory");
        }
        if (!received.is_whole || !received.has_all_fds) {
            return fail(ErrorCode::protocol, "packet is above " +
                                                 std::to_string(limits::packet_bytes) +
                                                 " bytes, or brings more than one descriptor");
        }
        const std::span<const char> bytes(room.data(), static_cast<std::size_t>(received.size));
        auto message = take(std::as_bytes(bytes), std::move(received.fd));
        if (!message || *message) return message;
    }
    return std::nullopt;
}

Result<std::optional<std::vector<Buffer>>> SameHostLink::take(Bytes bytes, UniqueFd fd) {
    const auto packet = decode_packet(bytes);
    if (!packet) return tl::unexpected(packet.error());
    const auto* region = std::get_if<RegionPacket>(&*packet);
    if ((region != nullptr) != static_cast<bool>(fd)) {
        return fail(ErrorCode::protocol,
                    "packet of a region has no descriptor, or another has one");
    }
    if (const auto* message = std::get_if<MessagePacket>(&*packet)) return take(*message);
    const auto done = region != nullptr
                          ? borrowings_.add_region(*region, std::move(fd))
                          : borrowings_.drop_region(std::get<RegionGonePacket>(*packet).region);
    if (!done) return tl::unexpected(done.error());
    return std::nullopt;
}

Result<std::optional<std::vector<Buffer>>> SameHostLink::take(const MessagePacket& packet) {
    std::vector<Buffer> frames;
    frames.reserve(packet.frames.size());
    for (const PacketFrame& frame : packet.frames) {
        auto buffer = frame_of(frame, frames.empty());
        if (!buffer) return tl::unexpected(std::move(buffer).error());
        frames.push_back(std::move(*buffer));
    }
    for (const std::uint64_t loan : packet.returns) {
        if (auto ended = loans_.end(loan); !ended) return tl::unexpected(std::move(ended).error());
    }
    if (frames.empty()) return std::nullopt;
    return frames;
}

/// A header is copied first, so that it cannot change under the parser; open_envelope() does the
/// same with bodies.
Result<Buffer> SameHostLink::frame_of(const PacketFrame& frame, bool is_header) {
    switch (frame.place) {
        case PacketFrame::Place::inlined: return Buffer::copy_of(frame.bytes);
        case PacketFrame::Place::own: return loans_.part(frame);
        case PacketFrame::Place::lent: break;
    }
    return is_header ? borrowings_.copy(frame) : borrowings_.view(frame);
}

}  // namespace farm
