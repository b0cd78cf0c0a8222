#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/core/expect.h"
#include "cpu_client/events/detector.h"
#include "cpu_client/events/trackml_csv.h"

namespace {

/// A named error, or rows that are the same after writing and reading them again.
template <class Parse, class Format>
void check(std::string_view text, Parse parse, Format format) {
    const auto rows = parse(text, "f");
    if (!rows) {
        FARM_ENSURE(rows.error().message.starts_with("f:"));
        return;
    }
    const auto again = parse(format(*rows), "f");
    FARM_ENSURE(again && *again == *rows);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(text, farm::parse_hits, farm::format_hits);
    check(text, farm::parse_cells, farm::format_cells);
    check(text, farm::parse_particles, farm::format_particles);
    check(text, farm::parse_truth, farm::format_truth);
    const auto detector = farm::parse_detector(text, "f");
    FARM_ENSURE(detector ? !detector->layers().empty() : !detector.error().message.empty());
    return 0;
}
