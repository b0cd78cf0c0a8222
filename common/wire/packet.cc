#include "common/wire/packet.h"

#include <cstring>
#include <type_traits>

#include "schemas/limits.h"

namespace farm {
namespace {

constexpr std::uint16_t magic = 'E' | 'F' << 8;
constexpr std::uint8_t version = 1;
enum class Kind : std::uint8_t { message, region, region_gone };

std::string number(std::uint64_t value) { return std::to_string(value); }

/// Little-endian numbers, one after the other. Past the end it reads zeros and fails.
class Reader {
  public:
    explicit Reader(Bytes bytes) : bytes_(bytes) {}

    template <class T>
    T take() {
        T value{0};
        const Bytes from = take(sizeof(T));
        for (std::size_t i = 0; i < from.size(); ++i) {
            value |= static_cast<T>(static_cast<T>(from[i]) << (8 * i));
        }
        return value;
    }
    Bytes take(std::size_t size) {
        if (size > bytes_.size()) {
            failed_ = true;
            bytes_ = {};
            return {};
        }
        const Bytes taken = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return taken;
    }
    bool failed() const { return failed_; }
    bool at_end() const { return bytes_.empty(); }

  private:
    Bytes bytes_;
    bool failed_{false};
};

template <class T>
void put(std::string& out, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i));
}

Result<void> check(const PacketFrame& frame, std::size_t index) {
    const auto bad = [index](const std::string& what) {
        return refuse_packet("has a frame " + number(index) + " " + what);
    };
    using Place = PacketFrame::Place;
    if (frame.size_bytes > limits::call_bytes) {
        return bad("of " + number(frame.size_bytes) + " bytes (the limit is " +
                   number(limits::call_bytes) + ")");
    }
    if (frame.offset > limits::shared_memory_bytes) {
        return bad("at offset " + number(frame.offset) + " (the limit is " +
                   number(limits::shared_memory_bytes) + ")");
    }
    if ((frame.place == Place::lent) != (frame.region != 0)) {
        return bad("of region " + number(frame.region) + " (only what is lent has one)");
    }
    if ((frame.place == Place::inlined) == (frame.loan != 0)) {
        return bad("under loan " + number(frame.loan) + " (only what is inlined has none)");
    }
    if (frame.place == Place::inlined && frame.offset != 0) return bad("inlined at an offset");
    return {};
}

Result<PacketFrame> read_frame(Reader& reader, std::size_t index) {
    const auto place = reader.take<std::uint32_t>();
    if (place > static_cast<std::uint32_t>(PacketFrame::Place::own)) {
        return refuse_packet("has a frame " + number(index) + " at place " + number(place) +
                             " (the limit is 2)");
    }
    PacketFrame frame;
    frame.place = static_cast<PacketFrame::Place>(place);
    frame.region = reader.take<std::uint32_t>();
    frame.loan = reader.take<std::uint64_t>();
    frame.offset = reader.take<std::uint64_t>();
    frame.size_bytes = reader.take<std::uint64_t>();
    if (auto sound = check(frame, index); !sound) return tl::unexpected(std::move(sound).error());
    return frame;
}

Result<Packet> read_message(Reader& reader) {
    const auto frame_count = reader.take<std::uint16_t>();
    const auto return_count = reader.take<std::uint16_t>();
    if (frame_count > limits::frame_count || return_count > limits::packet_return_count) {
        return refuse_packet("has " + number(frame_count) + " frames and " + number(return_count) +
                             " returns (the limits are " + number(limits::frame_count) + " and " +
                             number(limits::packet_return_count) + ")");
    }
    MessagePacket packet;
    packet.returns.reserve(return_count);
    for (std::size_t i = 0; i < return_count; ++i) {
        packet.returns.push_back(reader.take<std::uint64_t>());
    }
    packet.frames.reserve(frame_count);
    for (std::size_t i = 0; i < frame_count; ++i) {
        auto frame = read_frame(reader, i);
        if (!frame) return tl::unexpected(std::move(frame).error());
        packet.frames.push_back(*frame);
    }
    for (PacketFrame& frame : packet.frames) {
        if (frame.place == PacketFrame::Place::inlined) frame.bytes = reader.take(frame.size_bytes);
    }
    return packet;
}

Result<Packet> read_region(Reader& reader) {
    RegionPacket packet{reader.take<std::uint32_t>(), reader.take<std::uint64_t>()};
    if (packet.region == 0 || packet.size_bytes == 0 ||
        packet.size_bytes > limits::shared_memory_bytes) {
        return refuse_packet("announces region " + number(packet.region) + " of " +
                             number(packet.size_bytes) +
                             " bytes (numbers begin at 1, sizes end at " +
                             number(limits::shared_memory_bytes) + ")");
    }
    return packet;
}

Result<Packet> read_kind(Reader& reader) {
    const auto kind = reader.take<std::uint8_t>();
    switch (static_cast<Kind>(kind)) {
        case Kind::message: return read_message(reader);
        case Kind::region: return read_region(reader);
        case Kind::region_gone: return RegionGonePacket{reader.take<std::uint32_t>()};
    }
    return refuse_packet("is of kind " + number(kind) + " (the limit is 2)");
}

void write(std::string& out, const MessagePacket& packet) {
    put(out, static_cast<std::uint16_t>(packet.frames.size()));
    put(out, static_cast<std::uint16_t>(packet.returns.size()));
    for (const std::uint64_t loan : packet.returns) put(out, loan);
    for (const PacketFrame& frame : packet.frames) {
        put(out, static_cast<std::uint32_t>(frame.place));
        put(out, frame.region);
        put(out, frame.loan);
        put(out, frame.offset);
        put(out, frame.size_bytes);
    }
    for (const PacketFrame& frame : packet.frames) {
        if (frame.place != PacketFrame::Place::inlined) continue;
        out.append(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size());
    }
}

void write(std::string& out, const RegionPacket& packet) {
    put(out, packet.region);
    put(out, packet.size_bytes);
}

void write(std::string& out, const RegionGonePacket& packet) { put(out, packet.region); }

}  // namespace

tl::unexpected<Error> refuse_packet(const std::string& problem) {
    return fail(ErrorCode::protocol, "packet " + problem + ": send what wire.md says");
}

Result<Packet> decode_packet(Bytes bytes) {
    Reader reader(bytes);
    const auto begin = reader.take<std::uint16_t>();
    const auto spoken = reader.take<std::uint8_t>();
    if (begin != magic || spoken != version) {
        return refuse_packet("does not begin with \"EF\" and version " + number(version));
    }
    auto packet = read_kind(reader);
    if (!packet) return packet;
    if (reader.failed() || !reader.at_end()) {
        return refuse_packet("of " + number(bytes.size()) +
                             " bytes is not as long as its counts and sizes say");
    }
    return packet;
}

std::string encode_packet(const Packet& packet) {
    std::string out;
    put(out, magic);
    put(out, version);
    put(out, static_cast<std::uint8_t>(packet.index()));
    std::visit([&out](const auto& what) { write(out, what); }, packet);
    return out;
}

}  // namespace farm
