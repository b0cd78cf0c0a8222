#include "bench/tracking/embedding.h"

#include <algorithm>
#include <array>
#include <random>

namespace farm::bench {

namespace {

using Row = std::array<float, Embedding::dimension_count>;
constexpr Row deviations = {1.41F, 1.31F, 0.60F, 0.65F, 1.43F, 1.77F, 1.17F, 0.46F};
constexpr float track_deviation = 0.1F;

Embedding make_embedding() {
    std::mt19937 engine(20261121);
    std::normal_distribution<float> normal;
    std::vector<Row> rows(Embedding::point_count);
    Row centre{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t k = 0; k < centre.size(); ++k) {
            if (i % Embedding::track_size == 0) centre[k] = deviations[k] * normal(engine);
            rows[i][k] = centre[k] + track_deviation * normal(engine);
        }
    }
    std::ranges::shuffle(rows, engine);
    Embedding made;
    for (const Row& row : rows) made.values.insert(made.values.end(), row.begin(), row.end());
    return made;
}

}  // namespace

const Embedding& embedding() {
    static const Embedding made = make_embedding();
    return made;
}

}  // namespace farm::bench
