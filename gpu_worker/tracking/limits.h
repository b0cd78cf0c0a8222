#pragma once

#include <cstddef>

/// Bounds of the tracking stages; the configuration of a pipeline may lower them.
namespace farm::tracking::limits {

inline constexpr std::size_t point_count = 4'000'000;  ///< of one graph
inline constexpr std::size_t pair_count =
    4'000'000'000;                                     ///< looked at for one graph, from either end
inline constexpr std::size_t dimension_count = 64;     ///< of an embedding or a feature row
inline constexpr std::size_t edge_count = 32'000'000;  ///< of one graph: 256 MB, and twice that
                                                       ///< while it is built

}  // namespace farm::tracking::limits
