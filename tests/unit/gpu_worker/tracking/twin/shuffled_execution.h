#pragma once

#include <algorithm>
#include <array>
#include <barrier>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gpu_worker/tracking/twin/execution.h"

namespace farm::tracking::twin::testing {

/// NaN, and integers that are no index.
template <class Number>
void fill_with_rubbish(Number* numbers, std::size_t count) {
    const int byte = std::is_integral_v<Number> ? 0xa5 : 0xff;
    if (count != 0) std::memset(static_cast<void*>(numbers), byte, count * sizeof(Number));
}

/// An order of its own for each loop: every number once, by a stride that has no divisor in common
/// with the count.
class Shuffle {
  public:
    explicit Shuffle(unsigned seed) : engine_(seed) {}

    template <class Step>
    void operator()(Index count, const Step& step) {
        if (count == 0) return;
        const std::int64_t all = count;
        std::int64_t stride = engine_() % all + 1;
        while (std::gcd(stride, all) != 1) ++stride;
        std::int64_t lane = engine_() % all;
        for (std::int64_t i = 0; i < all; ++i, lane = (lane + stride) % all) {
            step(static_cast<Index>(lane));
        }
    }

  private:
    std::mt19937 engine_;
};

/// Execution by a loop that takes the lanes of each step in an order of its own, so that a result
/// which depends on the order shows. Memory is full of a pattern that is no index and no number,
/// what is copied to the host is not there before it waits, and what is copied from it is looked at
/// again then.
class ShuffledExecution {
  public:
    template <class Number>
    class Array {
      public:
        explicit Array(std::size_t size) : numbers_(size) {
            fill_with_rubbish(numbers_.data(), size);
        }
        Number* data() { return numbers_.data(); }
        const Number* data() const { return numbers_.data(); }
        std::size_t size() const { return numbers_.size(); }

      private:
        std::vector<Number> numbers_;
    };

    template <class Memory>
    class Team {
      public:
        Team(Shuffle& shuffle, Memory& memory) : shuffle_(&shuffle), memory_(&memory) {}

        Memory& memory() const { return *memory_; }

        template <class Step>
        void for_each(Index count, const Step& step) const {
            (*shuffle_)(count, step);
        }
        template <class Test>
        bool any(Index count, const Test& test) const {
            bool found = false;
            (*shuffle_)(count, [&](Index i) { found = test(i) || found; });
            return found;
        }

      private:
        Shuffle* shuffle_;
        Memory* memory_;
    };

    explicit ShuffledExecution(unsigned seed)
        : shuffle_(seed), stream_(std::make_shared<Stream>()) {}

    template <class Number>
    Array<Number> array(std::size_t size) {
        return Array<Number>(size);
    }
    template <class Number>
    void zero(Array<Number>& numbers) {
        fill(numbers, std::byte{0});
    }
    template <class Number>
    void fill(Array<Number>& numbers, std::byte byte) {
        begin_step();
        std::memset(static_cast<void*>(numbers.data()), std::to_integer<int>(byte),
                    numbers.size() * sizeof(Number));
    }
    template <class Step>
    void for_each(std::size_t count, const Step& step) {
        begin_step();
        shuffle_(static_cast<Index>(count), step);
    }
    template <unsigned, class Memory, class Step>
    void for_each_team(std::size_t count, const Step& step) {
        begin_step();
        Memory memory;
        shuffle_(static_cast<Index>(count), [&](Index i) {
            fill_with_rubbish(&memory, 1);
            step(Team<Memory>(shuffle_, memory), i);
        });
    }
    template <class From, class To>
    void exclusive_sum(const Array<From>& numbers, Array<To>& sums) {
        begin_step();
        To sum = 0;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const From number = numbers.data()[i];
            sums.data()[i] = sum;
            sum += number;
        }
    }
    /// By the lowest bits alone, as a radix sort does.
    void sort(Array<std::uint32_t>& keys, Array<Index>& values, int bits) {
        begin_step();
        const std::uint32_t mask = ~std::uint32_t{0} >> (32 - bits);
        std::vector<std::size_t> order(keys.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, {}, [&](std::size_t i) { return keys.data()[i] & mask; });
        const Array<std::uint32_t> old_keys = keys;
        const Array<Index> old_values = values;
        for (std::size_t i = 0; i < order.size(); ++i) {
            keys.data()[i] = old_keys.data()[order[i]];
            values.data()[i] = old_values.data()[order[i]];
        }
    }
    template <class Number>
    void upload(Array<Number>& numbers, const Number* host, std::size_t count) {
        if (count == 0) return;
        std::copy_n(host, count, numbers.data());
        begin([host, values = std::vector<Number>(host, host + count)] {
            if (std::memcmp(host, values.data(), values.size() * sizeof(Number)) == 0) return;
            throw DeviceFailure("the host has changed what is copied from it");
        });
    }
    template <class Number>
    void download(Number* host, const Number* numbers, std::size_t count) {
        fill_with_rubbish(host, count);
        begin([host, values = std::vector<Number>(numbers, numbers + count)] {
            std::ranges::copy(values, host);
        });
    }
    template <class Number>
    const Number* fetch(const Array<Number>& numbers, std::size_t index) {
        static_assert(sizeof(Number) <= sizeof(std::uint64_t));
        std::uint64_t& word = stream_->words[stream_->next_word++ % 8];
        auto* number = reinterpret_cast<Number*>(&word);
        download(number, numbers.data() + index, 1);
        return number;
    }
    void wait() {
        if (!std::exchange(stream_->is_busy, false)) return;
        ++stream_->wait_count;
        for (const auto& copy : std::exchange(stream_->copies, {})) copy();
    }
    /// Whether steps or copies have begun since the last wait.
    bool is_busy() const { return stream_->is_busy; }
    /// Of those that had something to wait for.
    int wait_count() const { return stream_->wait_count; }
    void mark(std::size_t) {}
    std::chrono::nanoseconds between(std::size_t, std::size_t) { return {}; }

  protected:
    void begin_step() { stream_->is_busy = true; }

  private:
    struct Stream {
        std::vector<std::function<void()>> copies;  ///< begun
        std::array<std::uint64_t, 8> words{};
        std::size_t next_word{0};
        bool is_busy{false};
        int wait_count{0};
    };

    void begin(std::function<void()> copy) {
        begin_step();
        stream_->copies.push_back(std::move(copy));
    }

    Shuffle shuffle_;
    std::shared_ptr<Stream> stream_;  ///< copies of the object are on the same one
};

/// The same, with a thread for each lane of a team: what each lane should do once, or all lanes
/// together, shows where it is not so.
class ThreadedExecution : public ShuffledExecution {
    static constexpr Index lanes = 3;

  public:
    using ShuffledExecution::ShuffledExecution;

    template <class Memory>
    class Team {
      public:
        struct Shared {
            Memory memory;
            std::barrier<> barrier{lanes};
            std::array<bool, lanes> found{};
        };
        Team(Shared& shared, Index lane) : shared_(&shared), lane_(lane) {}

        Memory& memory() const { return shared_->memory; }

        template <class Step>
        void for_each(Index count, const Step& step) const {
            for (Index i = lane_; i < count; i += lanes) step(i);
            shared_->barrier.arrive_and_wait();
        }
        template <class Test>
        bool any(Index count, const Test& test) const {
            bool found = false;
            for (Index i = lane_; i < count; i += lanes) found = test(i) || found;
            shared_->found[static_cast<std::size_t>(lane_)] = found;
            shared_->barrier.arrive_and_wait();
            const bool one = std::ranges::find(shared_->found, true) != shared_->found.end();
            shared_->barrier.arrive_and_wait();
            return one;
        }

      private:
        Shared* shared_;
        Index lane_;
    };

    template <unsigned, class Memory, class Step>
    void for_each_team(std::size_t count, const Step& step) {
        begin_step();
        typename Team<Memory>::Shared shared;
        fill_with_rubbish(&shared.memory, 1);
        std::vector<std::jthread> threads;
        for (Index lane = 0; lane < lanes; ++lane) {
            threads.emplace_back([&, lane] {
                for (std::size_t i = 0; i < count; ++i) {
                    step(Team<Memory>(shared, lane), static_cast<Index>(i));
                }
            });
        }
    }
};

static_assert(Execution<ShuffledExecution>);
static_assert(Execution<ThreadedExecution>);

}  // namespace farm::tracking::twin::testing
