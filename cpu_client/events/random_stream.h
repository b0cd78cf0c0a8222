#pragma once

#include <array>
#include <cstdint>

namespace farm {

/// What a sequence of random numbers is for. Equal keys give equal numbers, whichever thread asks.
struct StreamKey {
    std::uint64_t seed{0};
    std::uint32_t event{0};
    std::uint32_t purpose{0};
    std::uint32_t index{0};  ///< for instance of a particle
};

/// Random numbers by counting: Philox4x32-10 (Salmon et al., SC11) of (key, draw number), so that
/// each particle of each event has its own sequence without a state that threads would share.
/// Distributions are written out, because those of the C++ library differ between libraries.
class RandomStream {
  public:
    explicit RandomStream(StreamKey key) : key_(key) {}

    std::uint32_t bits();
    double uniform();  ///< in (0, 1)
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    double normal();                           ///< mean 0, standard deviation 1
    double gamma(double shape);                ///< scale 1; shape > 0
    std::uint32_t poisson(double mean);        ///< time grows with the mean
    std::uint32_t below(std::uint32_t count);  ///< 0 to count - 1

  private:
    StreamKey key_;
    std::uint32_t block_{0};
    std::array<std::uint32_t, 4> words_{};
    std::uint32_t used_{4};
};

}  // namespace farm
