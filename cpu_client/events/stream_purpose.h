#pragma once

#include <cstdint>

/// Purposes of the random streams of a generated event: one each, so that none repeats another.
namespace farm::stream_purpose {

inline constexpr std::uint32_t pileup = 1;
inline constexpr std::uint32_t interaction = 2;   ///< by interaction
inline constexpr std::uint32_t propagation = 3;   ///< by particle
inline constexpr std::uint32_t digitisation = 4;  ///< by particle
inline constexpr std::uint32_t noise = 5;         ///< by noise hit
inline constexpr std::uint32_t secondaries = 6;

}  // namespace farm::stream_purpose
