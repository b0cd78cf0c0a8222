#include "cpu_client/lib/large_block.h"

#include <cstdlib>
#include <memory>
#include <new>

#include <sys/mman.h>

namespace farm {
namespace {

constexpr std::size_t huge_page_bytes = 2UL << 20;

}  // namespace

MutableBuffer large_block(std::size_t size) {
    if (size < 2 * huge_page_bytes) return MutableBuffer(size);
    const std::size_t rounded = (size + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
    if (rounded < size) throw std::bad_alloc();
    void* block = std::aligned_alloc(huge_page_bytes, rounded);
    if (block == nullptr) throw std::bad_alloc();
    ::madvise(block, rounded, MADV_HUGEPAGE);  // advice: what comes of it may be ignored
    return {std::shared_ptr<std::byte>(static_cast<std::byte*>(block), &std::free), size};
}

}  // namespace farm
