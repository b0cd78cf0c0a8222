#include "cpu_client/events/random_stream.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/core/expect.h"

namespace farm {

namespace {

using Words = std::array<std::uint32_t, 4>;

Words philox(Words counter, std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {
            static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(b),
            static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(a)};
        key0 += 0x9E3779B9;
        key1 += 0xBB67AE85;
    }
    return counter;
}

}  // namespace

std::uint32_t RandomStream::bits() {
    if (used_ == words_.size()) {
        words_ = philox({block_++, key_.index, key_.purpose, key_.event},
                        static_cast<std::uint32_t>(key_.seed),
                        static_cast<std::uint32_t>(key_.seed >> 32));
        used_ = 0;
    }
    return words_[used_++];
}

double RandomStream::uniform() {
    const std::uint64_t high = bits();
    const std::uint64_t word = high << 32 | bits();
    return (static_cast<double>(word >> 12) + 0.5) * 0x1p-52;
}

/// Box and Muller; the second number is not kept, so that a draw never depends on those before.
double RandomStream::normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
}

/// Marsaglia and Tsang (2000).
double RandomStream::gamma(double shape) {
    FARM_EXPECT(shape > 0);
    if (shape < 1) {
        const double larger = gamma(shape + 1);
        return larger * std::pow(uniform(), 1 / shape);
    }
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = normal();
        const double v = std::pow(1 + c * x, 3);
        if (v > 0 && std::log(uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
}

/// Knuth's product of uniforms, in parts: the sum of Poisson numbers is one of the summed mean.
std::uint32_t RandomStream::poisson(double mean) {
    constexpr double part = 16;
    std::uint32_t count = 0;
    for (; mean > 0; mean -= part) {
        const double limit = std::exp(-std::min(mean, part));
        for (double product = uniform(); product > limit; product *= uniform()) ++count;
    }
    return count;
}

std::uint32_t RandomStream::below(std::uint32_t count) {
    return static_cast<std::uint32_t>(uniform() * count);
}

}  // namespace farm
