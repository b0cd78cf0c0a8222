#include "common/net/frame.h"

#include <cstring>
#include <memory>
#include <utility>

#include <zmq.hpp>

#include "schemas/limits.h"

namespace farm {
namespace {

Buffer small_copy(const zmq::message_t& message) {
    if (message.size() == 0) return {};
    auto block = std::make_shared_for_overwrite<std::byte[]>(message.size());
    std::memcpy(block.get(), message.data(), message.size());
    std::byte* data = block.get();
    return {std::shared_ptr<const std::byte>(std::move(block), data), message.size()};
}

void release(void* /*data*/, void* holder) { delete static_cast<Buffer*>(holder); }

}  // namespace

Buffer buffer_of(zmq::message_t message) {
    if (message.size() <= copied_receive_bytes) return small_copy(message);
    auto owner = std::make_shared<zmq::message_t>(std::move(message));
    const auto* data = static_cast<const std::byte*>(owner->data());
    const std::size_t size = owner->size();
    return {std::shared_ptr<const std::byte>(std::move(owner), data), size};
}

// Frames that lie in an EnvelopeWriter do not outlive the sending.
static_assert(limits::joined_bytes <= copied_send_bytes);

zmq::message_t message_of(const Buffer& buffer) {
    if (buffer.size() <= copied_send_bytes) return {buffer.data(), buffer.size()};
    auto holder = std::make_unique<Buffer>(buffer);
    // libzmq takes void*, and only reads.
    void* data = const_cast<std::byte*>(holder->data());
    zmq::message_t message(data, buffer.size(), &release, holder.get());
    holder.release();
    return message;
}

}  // namespace farm
