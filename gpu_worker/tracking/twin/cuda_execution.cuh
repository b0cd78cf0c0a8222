#pragma once

#include <cuda_runtime.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#include <cuda/std/functional>
#include <memory>
#include <string>
#include <utility>

#include "gpu_worker/tracking/twin/execution.h"
#include "gpu_worker/tracking/twin/stream_memory.h"

namespace farm::tracking::twin {

/// What the CUDA runtime says, as "CUDA error: <text>".
struct CudaFailure : DeviceFailure {
    explicit CudaFailure(cudaError_t error)
        : DeviceFailure(std::string("CUDA error: ") + cudaGetErrorString(error)) {}
};

inline void check(cudaError_t error) {
    if (error == cudaSuccess) return;
    static_cast<void>(cudaGetLastError());  // a later call shall not find it again
    throw CudaFailure(error);
}

/// The device's own pool, which a process has one of.
inline constexpr StreamMemory device_pool{
    [](std::size_t size_bytes, void* stream) {
        void* memory = nullptr;
        check(cudaMallocAsync(&memory, size_bytes, static_cast<cudaStream_t>(stream)));
        return memory;
    },
    [](void* memory, void* stream) noexcept {
        static_cast<void>(cudaFreeAsync(memory, static_cast<cudaStream_t>(stream)));
    }};

template <class Step>
__global__ void run_step(std::size_t count, Step step) {
    const std::size_t stride = static_cast<std::size_t>(gridDim.x) * blockDim.x;
    for (std::size_t i = static_cast<std::size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
         i += stride) {
        step(static_cast<Index>(i));
    }
}

/// The threads of a block.
template <class Memory>
class CudaTeam {
  public:
    __device__ explicit CudaTeam(Memory& memory) : memory_(&memory) {}

    __device__ Memory& memory() const { return *memory_; }
    template <class Step>
    __device__ void for_each(Index count, const Step& step) const {
        for (Index i = static_cast<Index>(threadIdx.x); i < count; i += width()) step(i);
        __syncthreads();
    }
    template <class Test>
    __device__ bool any(Index count, const Test& test) const {
        bool found = false;
        for (Index i = static_cast<Index>(threadIdx.x); i < count; i += width()) {
            found = test(i) || found;
        }
        return __syncthreads_or(found ? 1 : 0) != 0;
    }

  private:
    __device__ static Index width() { return static_cast<Index>(blockDim.x); }

    Memory* memory_;
};

/// A multiprocessor that has fewer lanes than this at a time waits for memory.
inline constexpr unsigned fewest_lanes = 384;

template <unsigned lanes, class Memory, class Step>
__global__ void __launch_bounds__(lanes, (fewest_lanes + lanes - 1) / lanes)
    run_team_step(Step step) {
    __shared__ Memory memory;
    step(CudaTeam<Memory>(memory), static_cast<Index>(blockIdx.x));
}

/// Execution on a stream of the current device. One thread uses an object at a time. Errors:
/// DeviceFailure.
class CudaExecution {
  public:
    template <class Number>
    class Array {
      public:
        Array(std::size_t size, const StreamMemory& memory, cudaStream_t stream)
            : size_(size), memory_(&memory), stream_(stream) {
            if (size != 0) data_ = memory.take(size * sizeof(Number), stream);
        }
        Array(Array&& other) noexcept { swap(other); }
        Array& operator=(Array&& other) noexcept {
            swap(other);
            return *this;
        }
        ~Array() {
            if (data_ != nullptr) memory_->give_back(data_, stream_);
        }

        Number* data() { return static_cast<Number*>(data_); }
        const Number* data() const { return static_cast<const Number*>(data_); }
        std::size_t size() const { return size_; }

      private:
        void swap(Array& other) noexcept {
            std::swap(data_, other.data_);
            std::swap(size_, other.size_);
            std::swap(memory_, other.memory_);
            std::swap(stream_, other.stream_);
        }

        void* data_{nullptr};
        std::size_t size_{0};
        const StreamMemory* memory_{nullptr};
        cudaStream_t stream_{nullptr};
    };

    /// Stream and memory belong to somebody else, who keeps them longer.
    explicit CudaExecution(cudaStream_t stream, const StreamMemory& memory = device_pool)
        : stream_(stream), memory_(&memory) {}

    template <class Number>
    Array<Number> array(std::size_t size) const {
        return {size, *memory_, stream_};
    }

    template <class Number>
    void zero(Array<Number>& numbers) const {
        fill(numbers, std::byte{0});
    }

    template <class Number>
    void fill(Array<Number>& numbers, std::byte byte) const {
        if (numbers.size() == 0) return;
        check(cudaMemsetAsync(numbers.data(), std::to_integer<int>(byte),
                              numbers.size() * sizeof(Number), stream_));
    }

    template <class Step>
    void for_each(std::size_t count, const Step& step) const {
        if (count == 0) return;
        constexpr unsigned block = 128;
        const auto blocks = static_cast<unsigned>((count + block - 1) / block);
        run_step<<<blocks, block, 0, stream_>>>(count, step);
        check(cudaGetLastError());
    }

    template <unsigned lanes, class Memory, class Step>
    void for_each_team(std::size_t count, const Step& step) const {
        if (count == 0) return;
        run_team_step<lanes, Memory><<<static_cast<unsigned>(count), lanes, 0, stream_>>>(step);
        check(cudaGetLastError());
    }

    template <class From, class To>
    void exclusive_sum(const Array<From>& numbers, Array<To>& sums) const {
        with_scratch([&](void* scratch, std::size_t& bytes) {
            return cub::DeviceScan::ExclusiveScan(scratch, bytes, numbers.data(), sums.data(),
                                                  cuda::std::plus<>{}, To{0}, numbers.size(),
                                                  stream_);
        });
    }

    void sort(Array<std::uint32_t>& keys, Array<Index>& values, int bits) const {
        auto sorted_keys = array<std::uint32_t>(keys.size());
        auto sorted_values = array<Index>(values.size());
        with_scratch([&](void* scratch, std::size_t& bytes) {
            return cub::DeviceRadixSort::SortPairs(scratch, bytes, keys.data(), sorted_keys.data(),
                                                   values.data(), sorted_values.data(), keys.size(),
                                                   0, bits, stream_);
        });
        copy(keys.data(), sorted_keys.data(), keys.size(), cudaMemcpyDeviceToDevice);
        copy(values.data(), sorted_values.data(), values.size(), cudaMemcpyDeviceToDevice);
    }

    template <class Number>
    const Number* fetch(const Array<Number>& numbers, std::size_t index) {
        static_assert(sizeof(Number) <= sizeof(Word));
        if (words_ == nullptr) {
            void* made = nullptr;
            check(cudaMallocHost(&made, word_count * sizeof(Word)));
            words_.reset(static_cast<Word*>(made));
        }
        next_word_ = (next_word_ + 1) % word_count;
        auto* word = reinterpret_cast<Number*>(words_.get() + next_word_);
        copy(word, numbers.data() + index, 1, cudaMemcpyDeviceToHost);
        return word;
    }

    template <class Number>
    void upload(Array<Number>& numbers, const Number* host, std::size_t count) const {
        copy(numbers.data(), host, count, cudaMemcpyHostToDevice);
    }

    template <class Number>
    void download(Number* host, const Number* numbers, std::size_t count) const {
        copy(host, numbers, count, cudaMemcpyDeviceToHost);
    }

    void wait() const { check(cudaStreamSynchronize(stream_)); }

    void mark(std::size_t index) {
        Event& event = marks_.at(index);
        if (event == nullptr) {
            cudaEvent_t made = nullptr;
            check(cudaEventCreate(&made));
            event.reset(made);
        }
        check(cudaEventRecord(event.get(), stream_));
    }

    std::chrono::nanoseconds between(std::size_t first, std::size_t second) const {
        float milliseconds = 0;
        check(cudaEventSynchronize(marks_.at(second).get()));
        check(cudaEventElapsedTime(&milliseconds, marks_.at(first).get(), marks_.at(second).get()));
        return std::chrono::nanoseconds(static_cast<std::int64_t>(milliseconds * 1e6));
    }

  private:
    static constexpr std::size_t word_count = 8;
    using Word = std::uint64_t;

    struct EventEnd {
        void operator()(cudaEvent_t event) const { static_cast<void>(cudaEventDestroy(event)); }
    };
    struct HostEnd {
        void operator()(void* memory) const { static_cast<void>(cudaFreeHost(memory)); }
    };
    using Event = std::unique_ptr<CUevent_st, EventEnd>;

    template <class Number>
    void copy(Number* to, const Number* from, std::size_t count, cudaMemcpyKind kind) const {
        if (count == 0) return;
        check(cudaMemcpyAsync(to, from, count * sizeof(Number), kind, stream_));
    }

    /// CUB's way: the first call says how much it needs.
    template <class Call>
    void with_scratch(const Call& call) const {
        std::size_t bytes = 0;
        check(call(nullptr, bytes));
        auto scratch = array<std::byte>(bytes);
        check(call(scratch.data(), bytes));
    }

    cudaStream_t stream_;
    const StreamMemory* memory_;
    std::array<Event, 8> marks_;
    std::unique_ptr<Word, HostEnd> words_;  ///< pinned, for numbers that are fetched
    std::size_t next_word_{0};
};

}  // namespace farm::tracking::twin
