#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/core/expect.h"
#include "common/wire/packet.h"

/// Any bytes whatever: a named error, or a packet that is written as it was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto packet = farm::decode_packet(bytes);
    if (!packet) {
        FARM_ENSURE(!packet.error().message.empty());
        return 0;
    }
    const std::string again = farm::encode_packet(*packet);
    FARM_ENSURE(std::ranges::equal(std::as_bytes(std::span(again)), bytes));
    return 0;
}
