#pragma once

#include <cstdio>
#include <cstdlib>

namespace farm::detail {

[[noreturn]] inline void contract_failed(const char* kind, const char* what, const char* file,
                                         int line) {
    std::fprintf(stderr, "%s:%d: %s failed: %s\n", file, line, kind, what);
    std::abort();
}

}  // namespace farm::detail

/// Our own broken invariants stop the process with file and line, in every build type.
/// Nothing that arrives from outside is ever checked with these: see common/core/error.h.
#define FARM_EXPECT(condition)  \
    ((condition)                \
         ? static_cast<void>(0) \
         : ::farm::detail::contract_failed("precondition", #condition, __FILE__, __LINE__))
#define FARM_ENSURE(condition)          \
    ((condition) ? static_cast<void>(0) \
                 : ::farm::detail::contract_failed("invariant", #condition, __FILE__, __LINE__))
