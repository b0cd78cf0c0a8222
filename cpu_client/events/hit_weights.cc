#include "cpu_client/events/hit_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <unordered_map>

namespace farm {

namespace {

constexpr std::size_t least_hit_count = 4;
constexpr std::size_t most_hit_count = 20;

double momentum_weight(const Particle& particle) {
    const double pt = std::hypot(particle.px, particle.py);
    if (pt < 0.05) return 0;
    return 0.2 + 0.8 * std::clamp((pt - 0.5) / (3 - 0.5), 0.0, 1.0);
}

/// Weights of the hits of a particle with `hit_count` hits, from the innermost on.
std::array<double, most_hit_count> order_weights(std::size_t hit_count) {
    constexpr std::array shape{10.0, 8.0, 6.0, 5.0, 3.0, 3.0, 3.0, 5.0, 6.0};
    std::array<double, most_hit_count> weights{};
    double sum = 0;
    for (std::size_t hit = 0; hit < hit_count; ++hit) {
        const double place =
            static_cast<double>(hit * (shape.size() - 1)) / static_cast<double>(hit_count - 1);
        const std::size_t left = std::min(static_cast<std::size_t>(place), shape.size() - 2);
        weights[hit] = std::lerp(shape[left], shape[left + 1], place - static_cast<double>(left));
        sum += weights[hit];
    }
    for (double& weight : weights) weight /= sum;
    return weights;
}

struct OrderedHit {
    double distance;  ///< |tz - vz|
    std::size_t hit;
};

void weigh_particle(const Particle& particle, std::vector<OrderedHit>& hits,
                    std::vector<double>& weights) {
    if (hits.size() < least_hit_count) return;
    std::sort(hits.begin(), hits.end(), [](const OrderedHit& a, const OrderedHit& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.hit < b.hit;
    });
    const std::size_t count = std::min(hits.size(), most_hit_count);
    const auto by_order = order_weights(count);
    for (std::size_t i = 0; i < count; ++i) {
        weights[hits[i].hit] = by_order[i] * momentum_weight(particle);
    }
}

}  // namespace

void set_weights(TrackmlEvent& event) {
    std::unordered_map<std::uint64_t, std::size_t> index;
    index.reserve(event.particles.size());
    for (std::size_t p = 0; p < event.particles.size(); ++p) {
        const std::uint64_t id = event.particles[p].particle_id;
        if (id != 0) index.emplace(id, p);
    }
    std::vector<std::vector<OrderedHit>> hits(event.particles.size());
    for (std::size_t i = 0; i < event.truth.size(); ++i) {
        const auto place = index.find(event.truth[i].particle_id);
        if (place == index.end()) continue;
        const double vz = event.particles[place->second].vz;
        hits[place->second].push_back({std::abs(event.truth[i].tz - vz), i});
    }
    std::vector<double> weights(event.truth.size());
    for (std::size_t p = 0; p < hits.size(); ++p) {
        weigh_particle(event.particles[p], hits[p], weights);
    }
    double sum = 0;
    for (const double weight : weights) sum += weight;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        event.truth[i].weight = sum > 0 ? static_cast<float>(weights[i] / sum) : 0.0F;
    }
}

}  // namespace farm
