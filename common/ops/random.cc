#include "common/ops/random.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <pthread.h>
#include <sys/random.h>

#include "common/core/expect.h"

namespace farm {
namespace {

/// Grows in each child that is forked: it must not give out what its parent does.
std::atomic<std::uint32_t> fork_count{0};

/// Asking the kernel for 16 bytes at a time costs more than a call's bookkeeping.
class Pool {
  public:
    Pool() {
        static const int watched =
            ::pthread_atfork(nullptr, nullptr, [] { fork_count.fetch_add(1); });
        FARM_ENSURE(watched == 0);
    }

    void take(std::span<std::uint8_t> out) {
        const std::uint32_t forks = fork_count.load(std::memory_order_relaxed);
        if (std::exchange(forks_, forks) != forks) used_ = bytes_.size();
        while (!out.empty()) {
            if (used_ == bytes_.size()) refill();
            const std::size_t count = std::min(out.size(), bytes_.size() - used_);
            std::memcpy(out.data(), bytes_.data() + used_, count);
            std::memset(bytes_.data() + used_, 0, count);
            used_ += count;
            out = out.subspan(count);
        }
    }

  private:
    void refill() {
        std::size_t filled = 0;
        while (filled < bytes_.size()) {
            const ssize_t got = ::getrandom(bytes_.data() + filled, bytes_.size() - filled, 0);
            FARM_ENSURE(got > 0 || errno == EINTR);
            if (got > 0) filled += static_cast<std::size_t>(got);
        }
        used_ = 0;
    }

    std::array<std::uint8_t, 1024> bytes_{};
    std::size_t used_{1024};
    std::uint32_t forks_{0};
};

}  // namespace

void fill_random(std::span<std::uint8_t> bytes) {
    thread_local Pool pool;
    pool.take(bytes);
}

std::uint64_t random_u64() {
    std::array<std::uint8_t, 8> bytes{};
    fill_random(bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
}

}  // namespace farm
