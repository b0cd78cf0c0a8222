#include "tests/support/allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> count{0};
std::atomic<std::int64_t> live_bytes{0};

}  // namespace

namespace farm {

Allocations allocations() { return {count.load(), live_bytes.load()}; }

}  // namespace farm

void* operator new(std::size_t size) {
    void* const block = std::malloc(size);
    if (block == nullptr) throw std::bad_alloc();
    ++count;
    live_bytes += static_cast<std::int64_t>(malloc_usable_size(block));
    return block;
}

void operator delete(void* block) noexcept {
    live_bytes -= static_cast<std::int64_t>(malloc_usable_size(block));
    std::free(block);
}

void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
