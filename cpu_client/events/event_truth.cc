#include "cpu_client/events/event_truth.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

namespace farm {

namespace {

double distance_from_vertex(const TruthHit& hit, const Particle& particle) {
    return std::hypot(hit.tx - particle.vx, hit.ty - particle.vy, hit.tz - particle.vz);
}

}  // namespace

Result<EventTruth> EventTruth::make(const TrackmlEvent& event, const ParticleSelection& selection) {
    if (event.truth.size() != event.hits.size()) {
        return fail(ErrorCode::invalid,
                    "truth has " + std::to_string(event.truth.size()) + " rows (the event has " +
                        std::to_string(event.hits.size()) + " hits): give the truth of this event");
    }
    EventTruth truth;
    std::unordered_map<std::uint64_t, std::uint32_t> index{{0, none}};
    for (const Particle& p : event.particles) {
        index.emplace(p.particle_id, static_cast<std::uint32_t>(truth.particles_.size()));
        const double pt = std::hypot(p.px, p.py);
        truth.particles_.push_back({pt, std::asinh(p.pz / pt), 0, false});
    }
    for (std::size_t i = 0; i < event.truth.size(); ++i) {
        const TruthHit& hit = event.truth[i];
        const auto place = index.find(hit.particle_id);
        if (hit.hit_id != event.hits[i].hit_id || place == index.end()) {
            return fail(ErrorCode::invalid,
                        "truth row " + std::to_string(i + 1) + " has hit_id " +
                            std::to_string(hit.hit_id) + " and particle_id " +
                            std::to_string(hit.particle_id) +
                            " (another hit, or no particle of the event): give the truth of this "
                            "event");
        }
        truth.particle_of_.push_back(place->second);
        truth.weight_of_.push_back(hit.weight);
        truth.total_weight_ += hit.weight;
        if (place->second != none) ++truth.particles_[place->second].hit_count;
    }
    for (ParticleTruth& p : truth.particles_) {
        p.selected = p.pt >= selection.pt_min && std::abs(p.eta) <= selection.eta_max &&
                     p.hit_count >= selection.hits_min;
        truth.selected_count_ += p.selected ? 1 : 0;
    }
    truth.link_hits(event);
    return truth;
}

void EventTruth::link_hits(const TrackmlEvent& event) {
    using DistantHit = std::pair<double, std::uint32_t>;
    std::vector<std::vector<DistantHit>> hits(particles_.size());
    for (std::uint32_t i = 0; i < hit_count(); ++i) {
        const std::uint32_t p = particle_of_[i];
        if (p == none) continue;
        hits[p].emplace_back(distance_from_vertex(event.truth[i], event.particles[p]), i);
    }
    next_hit_.assign(hit_count(), none);
    for (std::vector<DistantHit>& way : hits) {
        std::sort(way.begin(), way.end());
        for (std::size_t k = 1; k < way.size(); ++k) next_hit_[way[k - 1].second] = way[k].second;
    }
}

}  // namespace farm
