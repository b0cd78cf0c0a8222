#include "cpu_client/events/components.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

/// The reference service's own edges, scores and labels of event in_e1000 (see NOTICE).
namespace farm {
namespace {

const std::filesystem::path reference = "data/reference";

std::vector<std::vector<double>> read_rows(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::vector<std::vector<double>> rows;
    for (std::string line; std::getline(stream, line);) {
        std::istringstream fields(line);
        auto& row = rows.emplace_back();
        for (std::string field; std::getline(fields, field, ',');) row.push_back(std::stod(field));
    }
    return rows;
}

std::vector<std::int64_t> as_indices(const std::vector<double>& row) {
    return {row.begin(), row.end()};
}

TEST(ReferenceComponentsTest, ReferenceScoresGiveTheReferencePartition) {
    if (!std::filesystem::exists(reference)) GTEST_SKIP() << "data/reference is not there";
    const auto edge_rows = read_rows(reference / "applyfilter_output_EDGE_LIST_AFTER_FILTER.csv");
    ASSERT_EQ(edge_rows.size(), 2U);
    const EdgeList edges{as_indices(edge_rows[0]), as_indices(edge_rows[1])};
    ASSERT_EQ(edges.size(), 584U);
    std::vector<float> logits;
    for (const auto& row : read_rows(reference / "gnn_output_OUTPUT__0.csv")) {
        logits.push_back(static_cast<float>(row.at(0)));
    }
    const auto labels = read_rows(reference / "wcc_output_OUTPUT0.csv");
    ASSERT_EQ(labels.size(), 313U);  // of 314 points: the file lacks the last

    for (const double cut : {0.5, 0.75}) {
        const auto components = connected_components(314, edges, logits, cut);
        ASSERT_TRUE(components) << components.error().message;
        std::map<double, std::uint32_t> ours_of;
        std::map<std::uint32_t, double> theirs_of;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const double theirs = labels[i].at(0);
            const std::uint32_t ours = components->label[i];
            EXPECT_EQ(ours_of.emplace(theirs, ours).first->second, ours) << "point " << i;
            EXPECT_EQ(theirs_of.emplace(ours, theirs).first->second, theirs) << "point " << i;
        }
        EXPECT_EQ(ours_of.size(), 37U);
    }
}

TEST(CandidateEdgesOfRealEventsTest, DefaultRadiusGivesSomeThousandEdges) {
    const std::filesystem::path folder = "data/events/lrt";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "data/events/lrt is not there";
    std::size_t event_count = 0, edge_count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto points = read_space_points(entry.path(), space_point_units::metres);
        ASSERT_TRUE(points) << points.error().message;
        const auto edges = candidate_edges(*points, default_edge_radius);
        ASSERT_TRUE(edges) << edges.error().message;
        ++event_count;
        edge_count += edges->size();
    }
    EXPECT_GT(edge_count, 1000 * event_count);
    EXPECT_LT(edge_count, 10000 * event_count);
}

}  // namespace
}  // namespace farm
