#include "cpu_client/events/truth_metrics.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace farm {

namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

template <std::size_t count>
std::size_t bin_of(const std::array<double, count>& begins, double value) {
    const auto end = std::upper_bound(begins.begin() + 1, begins.end(), value);
    return static_cast<std::size_t>(end - begins.begin()) - 1;
}

struct Cluster {
    std::int64_t label{0};
    std::uint32_t hit_count{0};
    std::uint32_t leader{EventTruth::none};  ///< the leading particle
    std::uint32_t leader_count{0};           ///< its hits in the cluster
    double leader_weight{0};                 ///< of these

    bool is_pure(double fraction) const { return leader_count > fraction * hit_count; }
    bool has_majority() const { return is_pure(0.5); }
    bool holds_most(const EventTruth& truth) const {
        return leader != EventTruth::none && 2 * leader_count > truth.particles()[leader].hit_count;
    }
    bool has_double_majority(const EventTruth& truth) const {
        return hit_count >= valid_cluster_hit_count && has_majority() && holds_most(truth);
    }
    bool is_perfect(const EventTruth& truth) const {
        return has_double_majority(truth) && is_pure(0.99) &&
               leader_count == truth.particles()[leader].hit_count;
    }
    bool is_counted(const EventTruth& truth) const {
        return hit_count >= counted_cluster_hit_count &&
               (!has_majority() || truth.particles()[leader].selected);
    }
    ClusterVerdict verdict(const EventTruth& truth) const {
        if (has_double_majority(truth)) {
            return truth.particles()[leader].selected ? ClusterVerdict::found
                                                      : ClusterVerdict::other;
        }
        return is_counted(truth) ? ClusterVerdict::fake : ClusterVerdict::other;
    }
};

struct LabelledHit {
    std::int64_t label;
    std::uint32_t particle;
    std::uint32_t hit;

    bool operator<(const LabelledHit& other) const {
        return label != other.label ? label < other.label : particle < other.particle;
    }
};

/// Of hits with one label, in the order of their particles; noise, as the largest index, is last.
Cluster make_cluster(const EventTruth& truth, std::span<const LabelledHit> hits) {
    Cluster cluster;
    cluster.label = hits.front().label;
    cluster.hit_count = static_cast<std::uint32_t>(hits.size());
    for (std::size_t begin = 0, end = 0; begin < hits.size(); begin = end) {
        const std::uint32_t particle = hits[begin].particle;
        if (particle == EventTruth::none) break;
        double weight = 0;
        for (; end < hits.size() && hits[end].particle == particle; ++end) {
            weight += truth.weight_of(hits[end].hit);
        }
        const auto count = static_cast<std::uint32_t>(end - begin);
        if (count <= cluster.leader_count) continue;
        cluster.leader = particle;
        cluster.leader_count = count;
        cluster.leader_weight = weight;
    }
    return cluster;
}

std::vector<Cluster> make_clusters(const EventTruth& truth, std::span<const std::int64_t> labels) {
    std::vector<LabelledHit> hits;
    for (std::uint32_t i = 0; i < labels.size(); ++i) {
        if (labels[i] >= 0) hits.push_back({labels[i], truth.particle_of(i), i});
    }
    std::stable_sort(hits.begin(), hits.end());
    std::vector<Cluster> clusters;
    for (std::size_t begin = 0, end = 0; begin < hits.size(); begin = end) {
        while (end < hits.size() && hits[end].label == hits[begin].label) ++end;
        clusters.push_back(make_cluster(truth, std::span(hits).subspan(begin, end - begin)));
    }
    return clusters;
}

/// Adds `counts` to the whole and to the bins of the particle, when there is one.
void add(const EventTruth& truth, std::uint32_t particle, const TrackCounts& counts,
         TrackMetrics& metrics) {
    metrics.all += counts;
    if (particle == EventTruth::none) return;
    const EventTruth::ParticleTruth& p = truth.particles()[particle];
    metrics.by_pt[bin_of(pt_bin_begins, p.pt)] += counts;
    metrics.by_abs_eta[bin_of(abs_eta_bin_begins, std::abs(p.eta))] += counts;
}

/// For each particle the index of the pure cluster with most of its hits, the first of equals.
std::vector<std::size_t> best_clusters(const EventTruth& truth,
                                       const std::vector<Cluster>& clusters) {
    std::vector<std::size_t> best(truth.particles().size(), clusters.size());
    for (std::size_t c = 0; c < clusters.size(); ++c) {
        const Cluster& cluster = clusters[c];
        if (!cluster.has_majority()) continue;
        std::size_t& place = best[cluster.leader];
        if (place == clusters.size() || cluster.leader_count > clusters[place].leader_count) {
            place = c;
        }
    }
    return best;
}

void add_particles(const EventTruth& truth, const std::vector<Cluster>& clusters,
                   const std::vector<std::size_t>& best, TrackMetrics& metrics) {
    for (std::uint32_t p = 0; p < best.size(); ++p) {
        if (!truth.particles()[p].selected) continue;
        TrackCounts counts;
        counts.particles = 1;
        if (best[p] < clusters.size()) {
            counts.double_majority = clusters[best[p]].has_double_majority(truth) ? 1 : 0;
            counts.perfect = clusters[best[p]].is_perfect(truth) ? 1 : 0;
        }
        add(truth, p, counts, metrics);
    }
}

void add_clusters(const EventTruth& truth, const std::vector<Cluster>& clusters,
                  const std::vector<std::size_t>& best, TrackMetrics& metrics) {
    for (std::size_t c = 0; c < clusters.size(); ++c) {
        const Cluster& cluster = clusters[c];
        if (cluster.has_majority() && cluster.holds_most(truth)) {
            metrics.good_weight += cluster.leader_weight;
        }
        if (!cluster.is_counted(truth)) continue;
        TrackCounts counts;
        counts.clusters = 1;
        counts.fakes = cluster.has_double_majority(truth) ? 0 : 1;
        counts.duplicates = cluster.has_majority() && best[cluster.leader] != c ? 1 : 0;
        counts.majority_75 = cluster.is_pure(0.75) ? 1 : 0;
        add(truth, cluster.leader, counts, metrics);
    }
}

tl::unexpected<Error> bad_count(const char* what, std::size_t count, const char* other,
                                std::size_t other_count) {
    return fail(ErrorCode::invalid, std::string("there are ") + std::to_string(count) + " " + what +
                                        " (there are " + std::to_string(other_count) + " " + other +
                                        "): give one for each");
}

}  // namespace

double TrackCounts::double_majority_efficiency() const { return ratio(double_majority, particles); }
double TrackCounts::perfect_efficiency() const { return ratio(perfect, particles); }
double TrackCounts::majority_75_efficiency() const { return ratio(majority_75, clusters); }
double TrackCounts::fake_rate() const { return ratio(fakes, clusters); }
double TrackCounts::duplicate_rate() const { return ratio(duplicates, clusters); }

TrackCounts& TrackCounts::operator+=(const TrackCounts& other) {
    particles += other.particles;
    double_majority += other.double_majority;
    perfect += other.perfect;
    clusters += other.clusters;
    fakes += other.fakes;
    duplicates += other.duplicates;
    majority_75 += other.majority_75;
    return *this;
}

double TrackMetrics::trackml_score() const {
    return total_weight > 0 ? good_weight / total_weight : 0;
}

TrackMetrics& TrackMetrics::operator+=(const TrackMetrics& other) {
    all += other.all;
    for (std::size_t i = 0; i < by_pt.size(); ++i) by_pt[i] += other.by_pt[i];
    for (std::size_t i = 0; i < by_abs_eta.size(); ++i) by_abs_eta[i] += other.by_abs_eta[i];
    good_weight += other.good_weight;
    total_weight += other.total_weight;
    return *this;
}

Result<TrackMetrics> track_metrics(const EventTruth& truth, std::span<const std::int64_t> labels) {
    if (labels.size() != truth.hit_count()) {
        return bad_count("labels", labels.size(), "hits", truth.hit_count());
    }
    const std::vector<Cluster> clusters = make_clusters(truth, labels);
    const std::vector<std::size_t> best = best_clusters(truth, clusters);
    TrackMetrics metrics;
    metrics.total_weight = truth.total_weight();
    add_particles(truth, clusters, best, metrics);
    add_clusters(truth, clusters, best, metrics);
    return metrics;
}

Result<TrackVerdicts> track_verdicts(const EventTruth& truth,
                                     std::span<const std::int64_t> labels) {
    if (labels.size() != truth.hit_count()) {
        return bad_count("labels", labels.size(), "hits", truth.hit_count());
    }
    TrackVerdicts verdicts;
    std::vector<bool> is_found(truth.particles().size());
    for (const Cluster& cluster : make_clusters(truth, labels)) {
        const ClusterVerdict verdict = cluster.verdict(truth);
        verdicts.clusters.emplace(cluster.label, verdict);
        if (verdict == ClusterVerdict::found) is_found[cluster.leader] = true;
    }
    for (std::uint32_t p = 0; p < is_found.size(); ++p) {
        if (truth.particles()[p].selected && !is_found[p]) verdicts.missed.push_back(p);
    }
    return verdicts;
}

double EdgeMetrics::efficiency() const { return ratio(found_targets, targets); }
double EdgeMetrics::purity() const { return ratio(true_edges, edges); }
double EdgeMetrics::masked_purity() const {
    return ratio(true_edges - other_true_edges, edges - other_true_edges);
}
double EdgeMetrics::same_particle_purity() const { return ratio(same_particle_edges, edges); }

EdgeMetrics& EdgeMetrics::operator+=(const EdgeMetrics& other) {
    edges += other.edges;
    true_edges += other.true_edges;
    same_particle_edges += other.same_particle_edges;
    other_true_edges += other.other_true_edges;
    targets += other.targets;
    found_targets += other.found_targets;
    return *this;
}

Result<EdgeMetrics> edge_metrics(const EventTruth& truth, EdgeView edges) {
    if (edges.a.size() != edges.b.size()) {
        return bad_count("first hits of edges", edges.a.size(), "second hits", edges.b.size());
    }
    const auto is_selected = [&](std::size_t hit) {
        const std::uint32_t particle = truth.particle_of(hit);
        return particle != EventTruth::none && truth.particles()[particle].selected;
    };
    EdgeMetrics metrics;
    metrics.edges = edges.a.size();
    std::vector<bool> is_found(truth.hit_count());  // by the first hit of the true edge
    for (std::size_t k = 0; k < edges.a.size(); ++k) {
        const auto a = static_cast<std::size_t>(edges.a[k]);
        const auto b = static_cast<std::size_t>(edges.b[k]);
        if (std::max(a, b) >= truth.hit_count()) {  // a negative index is a huge one here
            return fail(ErrorCode::invalid,
                        "edge " + std::to_string(k) + " joins hits " + std::to_string(edges.a[k]) +
                            " and " + std::to_string(edges.b[k]) + " (the event has " +
                            std::to_string(truth.hit_count()) + "): give edges of this event");
        }
        const std::uint32_t particle = truth.particle_of(a);
        if (particle == EventTruth::none || particle != truth.particle_of(b) || a == b) continue;
        ++metrics.same_particle_edges;
        const bool forward = truth.next_hit(a) == b;
        if (!forward && truth.next_hit(b) != a) continue;
        ++metrics.true_edges;
        if (is_selected(a))
            is_found[forward ? a : b] = true;
        else
            ++metrics.other_true_edges;
    }
    for (std::size_t hit = 0; hit < truth.hit_count(); ++hit) {
        metrics.targets += truth.next_hit(hit) != EventTruth::none && is_selected(hit) ? 1 : 0;
        metrics.found_targets += is_found[hit] ? 1 : 0;
    }
    return metrics;
}

}  // namespace farm
