#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"

namespace farm::bench {

/// What a profile of valgrind's callgrind says, as far as a cost per call needs it.
///
/// Reads the format of callgrind.out files (version 1, one event type first; names compressed or
/// not; https://valgrind.org/docs/manual/cl-format.html). All parts of a file are added.
struct CallgrindProfile {
    struct Function {
        std::uint64_t self_instructions{0};
        std::uint64_t calls{0};  ///< of it, by others
    };

    std::uint64_t instructions{0};
    /// By name; the functions of a library without symbols are one: "unnamed functions of
    /// libzmq.so.5".
    std::map<std::string, Function> functions;

    /// Calls that get memory from the heap: malloc, calloc, realloc and the aligned ones (operator
    /// new calls these), each once however many wrappers there are.
    std::uint64_t allocations() const;

    struct NamedFunction {
        std::string name;
        std::uint64_t self_instructions{0};
    };
    std::vector<NamedFunction> most_expensive(std::size_t count) const;
};

/// Error (invalid) names the line.
Result<CallgrindProfile> parse_callgrind(std::string_view text);

}  // namespace farm::bench
