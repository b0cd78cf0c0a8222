#include "gpu_worker/backends/process_settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <sys/resource.h>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace farm {
namespace {

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr bool is_glibc_malloc = true;
std::size_t heap_bytes() { return mallinfo2().arena; }
#else
constexpr bool is_glibc_malloc = false;
std::size_t heap_bytes() { return 0; }
#endif

struct Free {
    void operator()(void* block) const { std::free(block); }
};
using Block = std::unique_ptr<void, Free>;

long minor_faults() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/// What a run of a model does with memory: blocks of some MB that are written and given back.
void like_a_run() {
    std::vector<Block> activations;
    for (int i = 0; i < 20; ++i) {
        constexpr std::size_t size = std::size_t{8} << 20;
        activations.emplace_back(std::malloc(size));
        std::memset(activations.back().get(), i, size);
    }
}

TEST(ProcessSettingsTest, RunsDoNotMapTheirMemoryAnew) {
    if (!is_glibc_malloc) GTEST_SKIP() << "malloc is not glibc's";
    keep_memory_mapped();
    long first = 0;
    long later = 0;
    std::thread instance([&] {  // models run in threads of their own
        const long begin = minor_faults();
        like_a_run();
        first = minor_faults() - begin;
        for (int i = 0; i < 10; ++i) like_a_run();
        later = minor_faults() - begin - first;
    });
    instance.join();
    // 160 MiB in pages of 4 KiB are 40 000.
    if (first < 1000) GTEST_SKIP() << "memory comes in large pages here";
    EXPECT_LT(later, first / 10);
}

TEST(ProcessSettingsTest, WhatIsKeptIsBounded) {
    if (!is_glibc_malloc) GTEST_SKIP() << "malloc is not glibc's";
    keep_memory_mapped();
    {
        std::vector<Block> blocks;  // never written, so that the test needs no memory
        for (int i = 0; i < 60; ++i) blocks.emplace_back(std::malloc(std::size_t{64} << 20));
        EXPECT_GT(heap_bytes(), kept_bytes);
    }
    EXPECT_LE(heap_bytes(), kept_bytes);
}

// OpenBLAS ran on all cores beside an instance that was meant to have one.
TEST(ProcessSettingsTest, OpenBlasHasTheThreadsThatModelsAskFor) {
    void* library = ::dlopen("libopenblas.so.0", RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) GTEST_SKIP() << "libopenblas.so.0 is not installed";
    const auto threads = reinterpret_cast<int (*)()>(::dlsym(library, "openblas_get_num_threads"));
    ASSERT_NE(threads, nullptr);
    use_blas_threads(1);
    EXPECT_EQ(threads(), 1);
    use_blas_threads(2);
    EXPECT_EQ(threads(), 2);
    use_blas_threads(1);  // another model still wants two
    EXPECT_EQ(threads(), 2);
}

}  // namespace
}  // namespace farm
