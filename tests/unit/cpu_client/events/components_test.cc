#include "cpu_client/events/components.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace farm {
namespace {

using Labels = std::vector<std::uint32_t>;

/// Spreads the smallest index along the edges until nothing changes.
Labels spread_labels(std::size_t count, const EdgeList& edges) {
    Labels label(count);
    for (std::uint32_t i = 0; i < count; ++i) label[i] = i;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t k = 0; k < edges.size(); ++k) {
            auto& a = label[static_cast<std::size_t>(edges.larger[k])];
            auto& b = label[static_cast<std::size_t>(edges.smaller[k])];
            if (a == b) continue;
            a = b = std::min(a, b);
            changed = true;
        }
    }
    Labels roots = label;
    std::sort(roots.begin(), roots.end());
    roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
    for (auto& l : label) {
        l = static_cast<std::uint32_t>(std::lower_bound(roots.begin(), roots.end(), l) -
                                       roots.begin());
    }
    return label;
}

TEST(ComponentsTest, AgreesWithLabelSpreading) {
    std::mt19937 random(7);
    for (const std::size_t edge_count : {0U, 40U, 90U, 300U}) {
        EdgeList edges;
        std::uniform_int_distribution<std::int64_t> point(0, 99);
        while (edges.size() < edge_count) {
            const auto a = point(random), b = point(random);
            if (a == b) continue;
            edges.larger.push_back(std::max(a, b));
            edges.smaller.push_back(std::min(a, b));
        }
        const std::vector<float> logits(edge_count, 1);
        const auto components = connected_components(100, edges, logits, 0.5);
        ASSERT_TRUE(components);
        const auto expected = spread_labels(100, edges);
        EXPECT_EQ(components->label, expected);
        EXPECT_EQ(components->count, 1 + *std::max_element(expected.begin(), expected.end()));
    }
}

TEST(ComponentsTest, KeepsEdgesAboveTheCutOnly) {
    const EdgeList chain{{1, 2, 3, 4}, {0, 1, 2, 3}};
    const float at_cut = static_cast<float>(std::log(3.0));  // sigmoid is 0.75
    const std::vector<float> logits{at_cut + 0.01F, at_cut - 0.01F, NAN, 100};
    const auto components = connected_components(5, chain, logits, 0.75);
    ASSERT_TRUE(components);
    EXPECT_EQ(components->label, (Labels{0, 0, 1, 2, 2}));
    EXPECT_EQ(components->count, 3U);
    EXPECT_EQ(components->kept_edge_count, 2U);
}

TEST(ComponentsTest, PointsWithoutEdgesStandAlone) {
    const auto components = connected_components(3, {}, {}, 0.5);
    ASSERT_TRUE(components);
    EXPECT_EQ(components->label, (Labels{0, 1, 2}));
}

TEST(ComponentsTest, ScoresOfAnotherLengthAreAnError) {
    const std::vector<float> logits(3);
    const auto components = connected_components(2, {{1}, {0}}, logits, 0.5);
    ASSERT_FALSE(components);
    EXPECT_NE(components.error().message.find("3 edge scores (1 edges"), std::string::npos);
    EXPECT_FALSE(connected_components(2, {}, {}, 1.0));
}

}  // namespace
}  // namespace farm
