#include "gpu_worker/tracking/doublet_graph.h"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_sort.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "gpu_worker/tracking/graph_rows.h"

namespace farm::tracking {

namespace {

constexpr std::size_t hits_per_part = 256;
constexpr float full_turn = 2 * std::numbers::pi_v<float>;

struct Hit {
    float phi;
    float r;
    float z;
    std::int32_t point;
};

/// With phi from 0 to a full turn.
std::vector<Hit> hits_of(const Points& features, const SpacePointScales& scales) {
    std::vector<Hit> hits(features.size());
    for (std::size_t i = 0; i < hits.size(); ++i) {
        const auto row = features.row(i);
        const float phi = std::fmod(row[1] * scales.phi, full_turn);
        hits[i] = {phi < 0 ? phi + full_turn : phi, row[0] * scales.r, row[2] * scales.z,
                   static_cast<std::int32_t>(i)};
    }
    return hits;
}

bool is_finite(const Hit& hit) {
    return std::isfinite(hit.phi) && std::isfinite(hit.r) && std::isfinite(hit.z);
}

bool by_phi(const Hit& a, const Hit& b) {
    return std::pair(a.phi, a.point) < std::pair(b.phi, b.point);
}

bool is_doublet(const Hit& a, const Hit& b, float dphi, const DoubletConfig& config) {
    const Hit& inner = a.r < b.r ? a : b;
    const Hit& outer = a.r < b.r ? b : a;
    const float dr = outer.r - inner.r;
    if (dr < config.least_dr || dr > config.largest_dr) return false;
    if (dphi > config.largest_slope * dr) return false;
    const float z0 = inner.z - inner.r * (outer.z - inner.z) / dr;
    return std::abs(z0) <= config.largest_z0;
}

/// Looks at every hit's neighbours in phi on both sides, around the circle. A window is less than
/// half a turn, so no pair is met on both.
class DoubletSearch {
  public:
    DoubletSearch(std::vector<Hit> hits, const DoubletConfig& config)
        : hits_(std::move(hits)),
          config_(config),
          part_count_((hits_.size() + hits_per_part - 1) / hits_per_part),
          graph_(hits_.size(), part_count_, config.edge_limit) {}

    bool looks_too_long() const {
        return pair_count_.load(std::memory_order_relaxed) > config_.pair_limit;
    }

    GraphRows& find() {
        oneapi::tbb::parallel_for(std::size_t{0}, part_count_,
                                  [this](std::size_t part) { find_part(part); });
        return graph_;
    }

  private:
    void find_part(std::size_t part) {
        const std::size_t begin = part * hits_per_part;
        const std::size_t end = std::min(begin + hits_per_part, hits_.size());
        std::vector<std::int32_t> row;
        for (std::size_t i = begin; i < end && !graph_.overflows() && !looks_too_long(); ++i) {
            const std::size_t looked_at = look_ahead(i, row) + look_back(i, row);
            pair_count_.fetch_add(looked_at, std::memory_order_relaxed);
            graph_.add(part, hits_[i].point, row);
        }
    }

    /// The number of pairs looked at.
    std::size_t look_ahead(std::size_t i, std::vector<std::int32_t>& row) const {
        std::size_t k = i + 1;
        for (; k < i + hits_.size(); ++k) {
            const bool around = k >= hits_.size();
            const Hit& other = hits_[around ? k - hits_.size() : k];
            const float dphi = other.phi + (around ? full_turn : 0) - hits_[i].phi;
            if (dphi > config_.largest_dphi) break;
            add_neighbour(hits_[i], other, dphi, row);
        }
        return k - i - 1;
    }

    std::size_t look_back(std::size_t i, std::vector<std::int32_t>& row) const {
        std::size_t k = i + hits_.size() - 1;
        for (; k > i; --k) {
            const bool around = k < hits_.size();
            const Hit& other = hits_[around ? k : k - hits_.size()];
            const float dphi = hits_[i].phi + (around ? full_turn : 0) - other.phi;
            if (dphi > config_.largest_dphi) break;
            add_neighbour(hits_[i], other, dphi, row);
        }
        return i + hits_.size() - 1 - k;
    }

    void add_neighbour(const Hit& hit, const Hit& other, float dphi,
                       std::vector<std::int32_t>& row) const {
        if (other.point > hit.point || !is_doublet(hit, other, dphi, config_)) return;
        row.push_back(other.point);
    }

    std::vector<Hit> hits_;
    DoubletConfig config_;
    std::size_t part_count_;
    GraphRows graph_;
    std::atomic<std::size_t> pair_count_{0};
};

}  // namespace

Result<void> check_windows(const DoubletConfig& config) {
    const auto refuse = [](const char* name, float value, const char* limit) {
        return fail(ErrorCode::invalid, std::string("doublet window ") + name + " is " +
                                            std::to_string(value) + " (" + limit +
                                            "): correct the configuration");
    };
    if (!(config.least_dr > 0)) return refuse("least_dr", config.least_dr, "above 0 mm");
    if (!(config.largest_dr > config.least_dr)) {
        return refuse("largest_dr", config.largest_dr, "above least_dr");
    }
    if (!(config.largest_dphi > 0 && config.largest_dphi < 3)) {
        return refuse("largest_dphi", config.largest_dphi, "above 0 and below 3 rad");
    }
    if (!(config.largest_slope > 0)) {
        return refuse("largest_slope", config.largest_slope, "above 0 rad/mm");
    }
    if (!(config.largest_z0 > 0)) return refuse("largest_z0", config.largest_z0, "above 0 mm");
    return {};
}

Result<Edges> doublet_graph(const Points& features, const SpacePointScales& scales,
                            const DoubletConfig& config) {
    if (auto checked = check_points(features, "space points"); !checked) {
        return tl::unexpected(checked.error());
    }
    if (features.dimension_count != 3) {
        return fail(ErrorCode::invalid, "space points have " +
                                            std::to_string(features.dimension_count) +
                                            " coordinates (doublets need r, phi, z): send three");
    }
    if (auto checked = check_windows(config); !checked) return tl::unexpected(checked.error());
    std::vector<Hit> hits = hits_of(features, scales);
    const auto bad = std::ranges::find_if_not(hits, is_finite);
    if (bad != hits.end()) {
        return fail(ErrorCode::invalid, "space point " + std::to_string(bad->point) +
                                            " is not finite in mm and rad (its features are "
                                            "multiplied by the scales): check both");
    }
    oneapi::tbb::parallel_sort(hits.begin(), hits.end(), by_phi);
    DoubletSearch search(std::move(hits), config);
    GraphRows& graph = search.find();
    if (search.looks_too_long()) {
        return fail(ErrorCode::too_large, "more than " + std::to_string(config.pair_limit) +
                                              " pairs of " + std::to_string(features.size()) +
                                              " points lie within largest_dphi (the limit of "
                                              "pairs looked at): narrow it or split the event");
    }
    if (graph.overflows()) {
        return fail(ErrorCode::too_large, "the doublet windows hold more than " +
                                              std::to_string(config.edge_limit) + " pairs of " +
                                              std::to_string(features.size()) +
                                              " points (the limit of edges): narrow them");
    }
    return graph.take();
}

}  // namespace farm::tracking
