#pragma once

#include <cmath>
#include <cstdint>

#if !defined(__CUDACC__)
#include <atomic>
#endif

/// What one lane of a twin may do, whatever runs it: a thread of a GPU, or a turn of a loop.
///
/// The stages of twin/ are written once, as steps of many lanes (execution.h). nvcc makes them of
/// the same text as the compiler of the processor does, so that tests run every line of them on a
/// machine without a GPU.
#if defined(__CUDACC__)
#define FARM_LANE __device__
#else
#define FARM_LANE
#endif

namespace farm::tracking::twin {

/// Point, edge or position.
using Index = std::int32_t;

/// Four coordinates, read at once.
struct alignas(16) Quad {
    float values[4];
};

/// What other lanes may be writing.
template <class Number>
FARM_LANE Number shared_value(const Number& place) {
    return *const_cast<const volatile Number*>(&place);
}

#if defined(__CUDACC__)

template <class Number>
FARM_LANE Number fetch_add(Number& place, Number value) {
    return atomicAdd(&place, value);
}
template <class Number>
FARM_LANE Number fetch_min(Number& place, Number value) {
    return atomicMin(&place, value);
}
template <class Number>
FARM_LANE Number fetch_max(Number& place, Number value) {
    return atomicMax(&place, value);
}
/// Returns what was there: `expected` if `desired` is there now.
FARM_LANE inline Index compare_exchange(Index& place, Index expected, Index desired) {
    return atomicCAS(&place, expected, desired);
}
FARM_LANE inline std::uint32_t bits_of(float value) { return __float_as_uint(value); }
FARM_LANE inline float multiply_add(float a, float b, float c) { return __fmaf_rn(a, b, c); }
/// a * a + b * b with each step rounded, as the processor does it.
FARM_LANE inline float sum_of_squares(float a, float b) {
    return __fadd_rn(__fmul_rn(a, a), __fmul_rn(b, b));
}
FARM_LANE inline float product(float a, float b) { return __fmul_rn(a, b); }
/// To two units in the last place, for b up to 2^126; 0 beyond.
FARM_LANE inline float quick_quotient(float a, float b) { return __fdividef(a, b); }

#else

template <class Number>
Number fetch_add(Number& place, Number value) {
    return std::atomic_ref(place).fetch_add(value, std::memory_order_relaxed);
}
template <class Number>
Number fetch_min(Number& place, Number value) {
    Number old = shared_value(place);
    while (value < old && !std::atomic_ref(place).compare_exchange_weak(old, value)) {
    }
    return old;
}
template <class Number>
Number fetch_max(Number& place, Number value) {
    Number old = shared_value(place);
    while (old < value && !std::atomic_ref(place).compare_exchange_weak(old, value)) {
    }
    return old;
}
inline Index compare_exchange(Index& place, Index expected, Index desired) {
    std::atomic_ref(place).compare_exchange_strong(expected, desired);
    return expected;
}
inline std::uint32_t bits_of(float value) { return __builtin_bit_cast(std::uint32_t, value); }
inline float multiply_add(float a, float b, float c) { return std::fma(a, b, c); }
inline float sum_of_squares(float a, float b) { return a * a + b * b; }
inline float product(float a, float b) { return a * b; }
inline float quick_quotient(float a, float b) { return a / b; }

#endif

FARM_LANE inline bool is_finite(float value) {
    return (bits_of(value) & 0x7f800000U) != 0x7f800000U;
}

/// Numbers that ascend as the floats do; NaN has no place among them.
FARM_LANE inline std::uint32_t ordered_bits(float value) {
    const std::uint32_t bits = bits_of(value + 0.0F);  // -0 is 0
    return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

/// Sorts a short row by one lane: by insertion, or as a heap where that takes too many steps.
/// `before` is a strict order of its members.
template <class Before>
FARM_LANE void sort_row(Index* row, Index count, const Before& before) {
    constexpr Index few = 32;
    const auto sink = [&](Index parent, Index end) {
        const Index value = row[parent];
        for (Index child = 2 * parent + 1; child < end; child = 2 * parent + 1) {
            if (child + 1 < end && before(row[child], row[child + 1])) ++child;
            if (!before(value, row[child])) break;
            row[parent] = row[child];
            parent = child;
        }
        row[parent] = value;
    };
    if (count > few) {
        for (Index parent = count / 2; parent-- > 0;) sink(parent, count);
        for (Index end = count - 1; end > 0; --end) {
            const Index largest = row[0];
            row[0] = row[end];
            row[end] = largest;
            sink(0, end);
        }
        return;
    }
    for (Index i = 1; i < count; ++i) {
        const Index value = row[i];
        Index at = i;
        for (; at > 0 && before(value, row[at - 1]); --at) row[at] = row[at - 1];
        row[at] = value;
    }
}

struct Ascending {
    FARM_LANE bool operator()(Index a, Index b) const { return a < b; }
};

}  // namespace farm::tracking::twin
