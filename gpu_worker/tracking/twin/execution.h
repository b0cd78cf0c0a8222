#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gpu_worker/tracking/twin/lane.h"
#include "gpu_worker/tracking/twin/stream_memory.h"

namespace farm::tracking::twin {

/// Of a team that needs none.
struct NoMemory {};

struct NoStep {
    FARM_LANE void operator()(Index) const {}
    template <class Team>
    FARM_LANE void operator()(const Team&, Index) const {}
};

/// What a twin asks of the device that runs it. Steps follow one another; the lanes of a step run
/// in any order, or at once. CudaExecution is a stream of a GPU; tests have a loop.
///
///     Array<Number> array<Number>(count)
///         memory of the device, with size() and data(): not set to anything; it may be dropped
///         while steps use it
///     zero(array), fill(array, byte)
///         all bytes
///     for_each(count, step)
///         step(i) of each i below count, which fits in an Index
///     for_each_team<lanes, Memory>(count, step)
///         step(team, i) of each i below count. All lanes of a team run it, as many as 32, 64, up
///         to 1024, and come together in team.for_each(n, f), which runs f(k) for each k below n,
///         and in team.any(n, f), true if one f(k) is: behind it each sees what the others wrote.
///         All come to each of these with the same n, so none goes by what another may be writing;
///         what stands outside of them every lane does.
///         team.memory() is a Memory of the team's own, at most 48 KB and not set to anything
///     exclusive_sum(counts, sums)
///         sums[i] = the sum of counts before i; as long, and may be of a wider type
///     sort(keys, values, bits)
///         in place and stable, by the lowest bits of the keys
///     wait()
///         for the steps and copies so far
///     upload(array, host, count), download(host, memory, count)
///         copies, done behind the next wait(): until then the host's memory is not to be touched
///     fetch(array, i)
///         a pointer to where the number is behind the next wait(), until eight more are fetched
///     mark(m), between(m, n)
///         the time between two marks among the steps, m below 8
///
/// Errors: throws what the device says (cuda_execution.h), std::bad_alloc without memory.
template <class E>
concept Execution = requires(E& run, typename E::template Array<Index>& indices,
                             typename E::template Array<std::uint32_t>& keys, Index* host) {
    {run.template array<Index>(std::size_t{})};
    { indices.data() } -> std::same_as<Index*>;
    { indices.size() } -> std::same_as<std::size_t>;
    run.zero(indices);
    run.fill(indices, std::byte{});
    run.for_each(std::size_t{}, NoStep{});
    run.template for_each_team<32, NoMemory>(std::size_t{}, NoStep{});
    run.exclusive_sum(indices, indices);
    run.sort(keys, indices, 32);
    run.wait();
    run.upload(indices, host, std::size_t{});
    run.download(host, indices.data(), std::size_t{});
    { run.fetch(indices, std::size_t{}) } -> std::same_as<const Index*>;
};

template <class E, class Number>
using Array = typename E::template Array<Number>;

/// Waits when it ends, however that is: copies under way may use memory of the host that is let go
/// of then. Whoever is to hear of a failure waits before.
template <class E>
class WaitAtEnd {
  public:
    explicit WaitAtEnd(E& run) : run_(run) {}
    ~WaitAtEnd() {
        try {
            run_.wait();
        } catch (const DeviceFailure&) {
            // Nothing is under way any more.
        }
    }
    WaitAtEnd(const WaitAtEnd&) = delete;
    WaitAtEnd& operator=(const WaitAtEnd&) = delete;

  private:
    E& run_;
};

/// What the host has, as an array. Waits until it is there.
template <Execution E, class Number>
Array<E, Number> uploaded(E& run, std::span<const Number> numbers) {
    auto made = run.template array<Number>(numbers.size());
    run.upload(made, numbers.data(), numbers.size());
    run.wait();
    return made;
}

/// Waits for one number of an array.
template <Execution E, class Numbers>
auto read_number(E& run, const Numbers& numbers, std::size_t index) {
    const auto* number = run.fetch(numbers, index);
    run.wait();
    return *number;
}

/// Edges in memory of the device, which somebody else owns.
struct EdgeList {
    const Index* source{nullptr};
    const Index* target{nullptr};
    std::size_t size{0};
};

/// Rows of float32 in memory of the device, which somebody else owns.
struct PointRows {
    const float* values{nullptr};
    std::size_t size{0};
    std::size_t dimension_count{3};
};

template <class E>
struct EdgeArrays {
    Array<E, Index> source;
    Array<E, Index> target;

    std::size_t size() const { return source.size(); }
    EdgeList list() const { return {source.data(), target.data(), source.size()}; }
};

/// Which event a point belongs to; the ends ascend.
FARM_LANE inline Index event_of(const Index* event_ends, Index event_count, Index point) {
    Index low = 0;
    for (Index high = event_count - 1; low < high;) {
        const Index middle = (low + high) / 2;
        if (event_ends[middle] > point) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

}  // namespace farm::tracking::twin
