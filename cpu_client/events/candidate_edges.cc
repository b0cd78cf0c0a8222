#include "cpu_client/events/candidate_edges.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace farm {

namespace {

struct SweepPoint {
    double r, phi, z;
    std::int64_t index;
};

/// In ascending z; phi brought into [-1, 1].
std::vector<SweepPoint> sorted_in_z(const std::vector<SpacePoint>& points) {
    std::vector<SweepPoint> sorted(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        const SpacePoint& p = points[i];
        sorted[i] = {p.r, std::remainder(static_cast<double>(p.phi), 2.0), p.z,
                     static_cast<std::int64_t>(i)};
    }
    std::sort(sorted.begin(), sorted.end(), [](const SweepPoint& a, const SweepPoint& b) {
        return a.z != b.z ? a.z < b.z : a.index < b.index;
    });
    return sorted;
}

bool is_near(const SweepPoint& a, const SweepPoint& b, double radius_squared) {
    double dphi = std::abs(a.phi - b.phi);
    if (dphi > 1.0) dphi = 2.0 - dphi;
    const double dr = a.r - b.r;
    const double dz = a.z - b.z;
    return dr * dr + dphi * dphi + dz * dz < radius_squared;
}

/// The near points of each point that have a smaller index, unsorted.
class Neighbours {
  public:
    explicit Neighbours(std::size_t point_count) : smaller_(point_count) {}

    void add(std::int64_t a, std::int64_t b) {
        smaller_[static_cast<std::size_t>(std::max(a, b))].push_back(std::min(a, b));
        ++count_;
    }
    std::size_t count() const { return count_; }

    EdgeList flatten() && {
        EdgeList edges;
        edges.larger.reserve(count_);
        edges.smaller.reserve(count_);
        for (std::size_t i = 0; i < smaller_.size(); ++i) {
            std::sort(smaller_[i].begin(), smaller_[i].end());
            edges.larger.insert(edges.larger.end(), smaller_[i].size(),
                                static_cast<std::int64_t>(i));
            edges.smaller.insert(edges.smaller.end(), smaller_[i].begin(), smaller_[i].end());
        }
        return edges;
    }

  private:
    std::vector<std::vector<std::int64_t>> smaller_;
    std::size_t count_{0};
};

}  // namespace

Result<EdgeList> candidate_edges(const std::vector<SpacePoint>& points, float radius,
                                 std::size_t limit_count) {
    if (!std::isfinite(radius) || radius <= 0) {
        return fail(ErrorCode::invalid, "edge radius is " + std::to_string(radius) +
                                            " (it must be finite and above 0): give for instance " +
                                            std::to_string(default_edge_radius));
    }
    const double bound = radius;
    const auto sorted = sorted_in_z(points);
    Neighbours neighbours(points.size());
    for (auto first = sorted.begin(); first != sorted.end(); ++first) {
        for (auto second = first + 1; second != sorted.end() && second->z - first->z < bound;
             ++second) {
            if (!is_near(*first, *second, bound * bound)) continue;
            if (neighbours.count() == limit_count) {
                return fail(ErrorCode::too_large,
                            "event of " + std::to_string(points.size()) +
                                " space points has more than " + std::to_string(limit_count) +
                                " pairs nearer than " + std::to_string(radius) +
                                " (the limit of one call): take a smaller radius");
            }
            neighbours.add(first->index, second->index);
        }
    }
    return std::move(neighbours).flatten();
}

Tensor to_tensor(std::string_view name, const EdgeList& edges) {
    const std::size_t half_bytes = edges.size() * sizeof(std::int64_t);
    MutableBuffer buffer(2 * half_bytes);
    if (half_bytes != 0) {
        std::memcpy(buffer.data(), edges.larger.data(), half_bytes);
        std::memcpy(buffer.data() + half_bytes, edges.smaller.data(), half_bytes);
    }
    return {{std::string(name), dtype::i64, {2, static_cast<std::int64_t>(edges.size())}},
            std::move(buffer).freeze()};
}

}  // namespace farm
