#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>

#include "gpu_worker/tracking/twin/cuda_execution.cuh"

/// Times by the clock of a CUDA device: the inputs lie there, and so do the results.
namespace farm::bench {

namespace twin = tracking::twin;
using twin::CudaExecution;
using twin::Index;

/// What a step gave back stays in the pool, for the next one.
inline void keep_pool() {
    cudaMemPool_t pool = nullptr;
    twin::check(cudaDeviceGetDefaultMemPool(&pool, 0));
    std::uint64_t all = ~std::uint64_t{0};
    twin::check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all));
}

/// What the device could do at most, by its clocks.
struct DeviceLimits {
    double flop_per_s{0};  ///< float32, a multiply-add is two
    double bytes_per_s{0};
};

inline DeviceLimits device_limits() {
    const auto attribute = [](cudaDeviceAttr which) {
        int value = 0;
        twin::check(cudaDeviceGetAttribute(&value, which, 0));
        return static_cast<double>(value);
    };
    constexpr double lanes_of_multiprocessor = 128;  // of compute capability 8.6 and 9.0 on
    constexpr double bits_of_byte = 8;
    return {2 * lanes_of_multiprocessor * attribute(cudaDevAttrMultiProcessorCount) * 1e3 *
                attribute(cudaDevAttrClockRate),
            2 * attribute(cudaDevAttrGlobalMemoryBusWidth) / bits_of_byte * 1e3 *
                attribute(cudaDevAttrMemoryClockRate)};
}

/// Of what the device could do, for so much in each iteration.
inline benchmark::Counter share(double amount, double limit_per_s) {
    return {amount / limit_per_s, benchmark::Counter::kIsIterationInvariantRate};
}

/// Runs `step` some times for each iteration, whose time is a step's share of that between two
/// events on the stream: what the host does before the first is on its way counts little.
template <class Step>
void measure(benchmark::State& state, CudaExecution& run, const Step& step) {
    keep_pool();
    step();  // memory of the pool, and code of the device
    for (auto _ : state) {
        constexpr int steps = 4;
        run.mark(0);
        for (int i = 0; i < steps; ++i) step();
        run.mark(1);
        state.SetIterationTime(std::chrono::duration<double>(run.between(0, 1)).count() / steps);
    }
}

}  // namespace farm::bench
