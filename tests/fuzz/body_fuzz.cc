#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/wire_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    farm::test::check_body(std::as_bytes(std::span(data, size)));
    return 0;
}
