#include "cpu_client/app/track_report.h"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/table.h"

namespace farm {
namespace {

FoundTracks found(std::uint64_t good, std::uint64_t particles) {
    FoundTracks tracks;
    tracks.labels.resize(100);
    tracks.track_count = 12;
    tracks.stages = {{"embedding", 10}, {"graph", 30, 1000}};
    tracks.stages[1].edges = EdgeMetrics{.edges = 1000,
                                         .true_edges = 100,
                                         .same_particle_edges = 200,
                                         .targets = 50,
                                         .found_targets = 49};
    tracks.metrics.emplace();
    tracks.metrics->all = {
        .particles = particles, .double_majority = good, .clusters = 10, .fakes = 1};
    tracks.metrics->by_pt[4] = tracks.metrics->all;
    tracks.metrics->good_weight = 0.5;
    tracks.metrics->total_weight = 1;
    return tracks;
}

TrackSummary two_events() {
    TrackSummary summary;
    summary.add(found(9, 10));
    summary.add(found(20, 30));
    return summary;
}

TEST(TrackReportTest, JsonHasTheAgreedKeys) {
    const auto json = nlohmann::json::parse(track_json(two_events(), {}));
    EXPECT_EQ(json["events"], 2);
    EXPECT_EQ(json["hits"], 200);
    EXPECT_EQ(json["particles"], 40);
    EXPECT_EQ(json["tracks"], 24);
    EXPECT_EQ(json["selection"]["pt_min"], 1.0);
    EXPECT_DOUBLE_EQ(json["double_majority_efficiency"], 29.0 / 40) << "of sums, not of means";
    EXPECT_DOUBLE_EQ(json["fake_rate"], 0.1);
    EXPECT_EQ(json["duplicate_rate"], 0);
    EXPECT_DOUBLE_EQ(json["trackml_score"], 0.5);
    EXPECT_EQ(json["stages"][0]["name"], "embedding");
    EXPECT_TRUE(json["stages"][0]["edges"].is_null());
    EXPECT_EQ(json["stages"][1]["ms"], 30.0) << "per event";
    EXPECT_EQ(json["stages"][1]["edges"], 1000.0);
    EXPECT_DOUBLE_EQ(json["stages"][1]["edge_efficiency"], 0.98);
    EXPECT_DOUBLE_EQ(json["stages"][1]["edge_purity"], 0.1);
    EXPECT_EQ(json["bins"]["pt"][4]["from"], 1.0);
    EXPECT_EQ(json["bins"]["pt"][4]["particles"], 40);
    EXPECT_TRUE(json["bins"]["pt"][0]["double_majority_efficiency"].is_null());
    EXPECT_TRUE(json["bins"]["pt"].back()["to"].is_null());
    EXPECT_EQ(json["bins"]["abs_eta"].size(), abs_eta_bin_begins.size());
}

TEST(TrackReportTest, WithoutTruthTheFiguresAreNull) {
    FoundTracks plain = found(1, 1);
    plain.metrics.reset();
    TrackSummary summary;
    summary.add(plain);
    const auto json = nlohmann::json::parse(track_json(summary, {}));
    EXPECT_EQ(json["tracks"], 12);
    for (const char* key : {"particles", "double_majority_efficiency", "fake_rate",
                            "duplicate_rate", "trackml_score", "bins"}) {
        EXPECT_TRUE(json.contains(key)) << key;
        EXPECT_TRUE(json[key].is_null()) << key;
    }
    EXPECT_EQ(track_text(summary, {}).find("efficiency "), std::string::npos);
}

TEST(TrackReportTest, TextFitsTheTerminalAndHasErrors) {
    const std::string text = track_text(two_events(), {});
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(display_width(line), terminal_columns) << line;
    }
    EXPECT_NE(text.find("0.7250 +- 0.0699 double majority"), std::string::npos) << text;
    EXPECT_NE(text.find("pT >= 1 GeV, >= 5 hits, |eta| <= 4"), std::string::npos) << text;
}

TEST(TrackReportTest, NoEventsAreNothing) {
    EXPECT_EQ(nlohmann::json::parse(track_json({}, {}))["events"], 0);
    EXPECT_NE(track_text({}, {}).find("events         0"), std::string::npos);
}

}  // namespace
}  // namespace farm
