#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace farm {

/// Numbers the shape keys of calls (Batching::measure): equal numbers are equal keys, so the
/// batcher compares numbers and never sees a tensor.
///
/// One per service, used by one thread. Bounded: after `limit_count` different shapes it forgets
/// what it knew (numbers are never reused, so that costs a shared run and is never wrong).
class ShapeClasses {
  public:
    static constexpr std::size_t limit_count = 1024;

    std::uint64_t class_of(std::string shape_key);

  private:
    std::unordered_map<std::string, std::uint64_t> classes_;
    std::uint64_t next_{1};
};

}  // namespace farm
