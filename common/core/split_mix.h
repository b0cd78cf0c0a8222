#pragma once

#include <cstdint>

namespace farm {

/// SplitMix64 (Steele, Lea, Flood 2014): as unpredictable as its seed, which a program draws from
/// the system and a test fixes.
class SplitMix {
  public:
    explicit SplitMix(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    template <class Id>
    Id next_id() {
        const std::uint64_t high = next();
        return Id::from_words(high, next());
    }

  private:
    std::uint64_t state_;
};

}  // namespace farm
