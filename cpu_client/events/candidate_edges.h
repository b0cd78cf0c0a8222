#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/core/error.h"
#include "cpu_client/events/space_points.h"
#include "schemas/tensor.h"

namespace farm {

/// Pairs of space points: edge k goes from point larger[k] to point smaller[k], as in the Exa.TrkX
/// reference. In ascending order of (larger, smaller), each pair once.
struct EdgeList {
    std::vector<std::int64_t> larger;
    std::vector<std::int64_t> smaller;

    std::size_t size() const { return larger.size(); }
    friend bool operator==(const EdgeList&, const EdgeList&) = default;
};

/// Radius of the demo's candidates, in the classifier's units: 450 mm in r, 27 degrees in phi,
/// 60 mm in z. It gives 55 to 16 082 edges for the 126 to 2 818 points of the LRT events of
/// data/events, 4 000 on average. A real tracking pipeline takes its edges from a learned embedding
/// instead; a radius in plain coordinates only finds the central tracks.
inline constexpr float default_edge_radius = 0.15F;
inline constexpr std::size_t edge_limit_count = 4'000'000;

/// All pairs nearer than `radius`: (dr)^2 + (dphi)^2 + (dz)^2 < radius^2, with phi (in units of pi)
/// wrapped at 2. Sorts in z and sweeps, so the cost is the number of pairs with |dz| < radius.
/// Pure and deterministic. Errors: invalid for a radius that is not positive and finite;
/// too_large for more than `limit_count` pairs.
Result<EdgeList> candidate_edges(const std::vector<SpacePoint>& points, float radius,
                                 std::size_t limit_count = edge_limit_count);

/// Tensor `name`, int64 [2, edges]: first all larger, then all smaller indices.
Tensor to_tensor(std::string_view name, const EdgeList& edges);

}  // namespace farm
