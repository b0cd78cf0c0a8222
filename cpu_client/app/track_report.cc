#include "cpu_client/app/track_report.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/table.h"
#include "cpu_client/pictures/rate_picture.h"

namespace farm {

namespace {

using nlohmann::ordered_json;

void add(TrackStage& sum, const TrackStage& stage) {
    sum.ms += stage.ms;
    if (stage.edge_count) sum.edge_count = sum.edge_count.value_or(0) + *stage.edge_count;
    if (!stage.edges) return;
    if (!sum.edges) sum.edges.emplace();
    *sum.edges += *stage.edges;
}

double per_event(const TrackSummary& summary, double sum) {
    return sum / static_cast<double>(std::max<std::uint64_t>(summary.event_count(), 1));
}

double per_event(const TrackSummary& summary, std::uint64_t sum) {
    return per_event(summary, static_cast<double>(sum));
}

// ---- text --------------------------------------------------------------------------------------

std::string stages_text(const TrackSummary& summary) {
    using enum Table::Kind;
    Table table({{"STAGE", name},
                 {"MS", number},
                 {"SHARE", number},
                 {"EDGES", number},
                 {"EFFICIENCY", number},
                 {"PURITY", number},
                 {"ONE PARTICLE", number}});
    double total = 0;
    for (const TrackStage& stage : summary.stages()) total += stage.ms;
    for (const TrackStage& stage : summary.stages()) {
        table.add(
            {stage.name, fmt::format("{:.1f}", per_event(summary, stage.ms)),
             fmt::format("{:.0f} %", total > 0 ? 100 * stage.ms / total : 0),
             stage.edge_count ? fmt::format("{:.0f}", per_event(summary, *stage.edge_count)) : "",
             stage.edges ? fmt::format("{:.4f}", stage.edges->efficiency()) : "",
             stage.edges ? fmt::format("{:.4f}", stage.edges->purity()) : "",
             stage.edges ? fmt::format("{:.4f}", stage.edges->same_particle_purity()) : ""});
    }
    return table.empty() ? "" : '\n' + table.text();
}

/// "0.951 +- 0.004".
std::string rate_text(double rate, std::uint64_t passed, std::uint64_t total) {
    const Interval error = binomial_interval(passed, total);
    return fmt::format("{:.4f} +- {:.4f}", rate, (error.high - error.low) / 2);
}

std::string metrics_text(const TrackMetrics& metrics, const ParticleSelection& selection) {
    const TrackCounts& all = metrics.all;
    return fmt::format("\nparticles      {}, with {}\n", all.particles, selection_text(selection)) +
           fmt::format(
               "efficiency     {} double majority\n"
               "               {} perfect\n",
               rate_text(all.double_majority_efficiency(), all.double_majority, all.particles),
               rate_text(all.perfect_efficiency(), all.perfect, all.particles)) +
           fmt::format("fake rate      {} of {} tracks\n",
                       rate_text(all.fake_rate(), all.fakes, all.clusters), all.clusters) +
           fmt::format("duplicates     {}\n",
                       rate_text(all.duplicate_rate(), all.duplicates, all.clusters)) +
           fmt::format("TrackML score  {:.4f}, of all particles\n", metrics.trackml_score());
}

// ---- JSON --------------------------------------------------------------------------------------

ordered_json stages_json(const TrackSummary& summary) {
    auto stages = ordered_json::array();
    for (const TrackStage& stage : summary.stages()) {
        ordered_json json{{"name", stage.name},     {"ms", per_event(summary, stage.ms)},
                          {"edges", nullptr},       {"edge_efficiency", nullptr},
                          {"edge_purity", nullptr}, {"edge_same_particle_purity", nullptr}};
        if (stage.edge_count) json["edges"] = per_event(summary, *stage.edge_count);
        if (stage.edges) {
            json["edge_efficiency"] = stage.edges->efficiency();
            json["edge_purity"] = stage.edges->purity();
            json["edge_same_particle_purity"] = stage.edges->same_particle_purity();
        }
        stages.push_back(json);
    }
    return stages;
}

ordered_json bins_json(std::span<const double> begins, std::span<const TrackCounts> bins) {
    auto json = ordered_json::array();
    for (std::size_t i = 0; i < bins.size(); ++i) {
        const TrackCounts& bin = bins[i];
        ordered_json entry{{"from", begins[i]},          {"to", nullptr},
                           {"particles", bin.particles}, {"double_majority_efficiency", nullptr},
                           {"tracks", bin.clusters},     {"fake_rate", nullptr}};
        if (i + 1 < bins.size()) entry["to"] = begins[i + 1];
        if (bin.particles > 0) {
            entry["double_majority_efficiency"] = bin.double_majority_efficiency();
        }
        if (bin.clusters > 0) entry["fake_rate"] = bin.fake_rate();
        json.push_back(entry);
    }
    return json;
}

void put_metrics(ordered_json& json, const TrackMetrics& metrics) {
    const TrackCounts& all = metrics.all;
    json["particles"] = all.particles;
    json["double_majority_efficiency"] = all.double_majority_efficiency();
    json["perfect_efficiency"] = all.perfect_efficiency();
    json["majority_75_efficiency"] = all.majority_75_efficiency();
    json["fake_rate"] = all.fake_rate();
    json["duplicate_rate"] = all.duplicate_rate();
    json["trackml_score"] = metrics.trackml_score();
    json["bins"] = {{"pt", bins_json(pt_bin_begins, metrics.by_pt)},
                    {"abs_eta", bins_json(abs_eta_bin_begins, metrics.by_abs_eta)}};
}

}  // namespace

void TrackSummary::add(const FoundTracks& found) {
    ++events_;
    hits_ += found.labels.size();
    tracks_ += found.track_count;
    for (std::size_t i = 0; i < found.stages.size(); ++i) {
        if (i == stages_.size()) stages_.push_back({found.stages[i].name});
        farm::add(stages_[i], found.stages[i]);
    }
    if (!found.metrics) return;
    if (!metrics_) metrics_.emplace();
    *metrics_ += *found.metrics;
}

std::string selection_text(const ParticleSelection& selection) {
    return fmt::format("pT >= {:g} GeV, >= {} hits, |eta| <= {:g}", selection.pt_min,
                       selection.hits_min, selection.eta_max);
}

std::string track_text(const TrackSummary& summary, const ParticleSelection& selection) {
    return fmt::format(
               "events         {}\nhits           {}\ntracks         {}, of {} hits or more\n",
               summary.event_count(), summary.hit_count(), summary.track_count(),
               valid_cluster_hit_count) +
           stages_text(summary) +
           (summary.metrics() ? metrics_text(*summary.metrics(), selection) : "");
}

std::string track_json(const TrackSummary& summary, const ParticleSelection& selection) {
    ordered_json json{{"events", summary.event_count()},
                      {"hits", summary.hit_count()},
                      {"particles", nullptr},
                      {"tracks", summary.track_count()},
                      {"selection",
                       {{"pt_min", selection.pt_min},
                        {"hits_min", selection.hits_min},
                        {"eta_max", selection.eta_max}}},
                      {"double_majority_efficiency", nullptr},
                      {"perfect_efficiency", nullptr},
                      {"majority_75_efficiency", nullptr},
                      {"fake_rate", nullptr},
                      {"duplicate_rate", nullptr},
                      {"trackml_score", nullptr},
                      {"stages", stages_json(summary)},
                      {"bins", nullptr}};
    if (summary.metrics()) put_metrics(json, *summary.metrics());
    return json.dump(2) + '\n';
}

}  // namespace farm
