#pragma once

#include <cmath>
#include <cstddef>

#include "gpu_worker/tracking/twin/lane.h"

/// Layers of a network for a team that keeps what lies between them (Team::memory()).
namespace farm::tracking::twin {

FARM_LANE inline float sigmoid(float x) { return quick_quotient(1, 1 + std::exp(-x)); }
FARM_LANE inline float silu(float x) { return quick_quotient(x, 1 + std::exp(-x)); }

/// sums += number * row
FARM_LANE inline void add_row(Quad& sums, float number, Quad row) {
    for (int k = 0; k < 4; ++k) {
        sums.values[k] = multiply_add(number, row.values[k], sums.values[k]);
    }
}

/// Numbers of `items` edges or points, of each as many as there are rows.
template <int row_count, int items>
struct Tile {
    using Row = Quad[items / 4];
    Row rows[row_count];

    FARM_LANE float& at(int number, Index item) { return rows[number][item / 4].values[item % 4]; }
    FARM_LANE float at(int number, Index item) const {
        return rows[number][item / 4].values[item % 4];
    }
};

/// What one lane has of a layer of `width` numbers: eight of them, for eight items. So each number
/// that it reads counts eight times, and its sums stay in registers.
template <int width, int items>
class Block {
  public:
    static constexpr Index lanes = (width / 8) * (items / 8);  ///< that share a layer

    FARM_LANE explicit Block(Index lane)
        : item_quad_(lane % (items / 8)), number_quad_(lane / (items / 8) * 2) {}

    FARM_LANE void set(const Quad* numbers) {
        for (int j = 0; j < 8; ++j) {
            const float number = numbers[number_quad_ + j / 4].values[j % 4];
            sums_[0][j] = sums_[1][j] = Quad{{number, number, number, number}};
        }
    }

    FARM_LANE void set_zero() {
        for (int j = 0; j < 8; ++j) sums_[0][j] = sums_[1][j] = Quad{};
    }

    /// Row k of the matrix is what number k of an item gives to all of the layer.
    template <int row_count>
    FARM_LANE void add_product(const Quad (&matrix)[row_count][width / 4],
                               const Quad (*given)[items / 4]) {
        for (int k = 0; k < row_count; ++k) {
            const Quad low = given[k][item_quad_];
            const Quad high = given[k][item_quad_ + half];
            const Quad row[2] = {matrix[k][number_quad_], matrix[k][number_quad_ + 1]};
            for (int j = 0; j < 8; ++j) {
                add_row(sums_[0][j], row[j / 4].values[j % 4], low);
                add_row(sums_[1][j], row[j / 4].values[j % 4], high);
            }
        }
    }

    /// visit(quad of numbers, number of the item, number of the quad) of each.
    template <class Visit>
    FARM_LANE void for_each_item(const Visit& visit) {
        for (int i = 0; i < 8; ++i) {
            const Index item = 4 * (item_quad_ + i / 4 * half) + i % 4;
            for (int q = 0; q < 2; ++q) {
                Quad numbers;
                for (int k = 0; k < 4; ++k) {
                    numbers.values[k] = sums_[i / 4][4 * q + k].values[i % 4];
                }
                visit(numbers, item, number_quad_ + q);
                for (int k = 0; k < 4; ++k) {
                    sums_[i / 4][4 * q + k].values[i % 4] = numbers.values[k];
                }
            }
        }
    }

    /// Onto the numbers of the tile, which come to stand in `copy`, too, if it is not null:
    /// [number] [quad of items].
    FARM_LANE void add_to(Quad (*tile)[items / 4], Quad* copy) const {
        for (int j = 0; j < 8; ++j) {
            for (int which = 0; which < 2; ++which) {
                const int number = 4 * number_quad_ + j;
                const int quad = item_quad_ + which * half;
                Quad numbers = tile[number][quad];
                add_row(numbers, 1, sums_[which][j]);
                tile[number][quad] = numbers;
                if (copy != nullptr) copy[number * (items / 4) + quad] = numbers;
            }
        }
    }

    /// Each number through `function`, and into the tile.
    template <class Function>
    FARM_LANE void store(Quad (*made)[items / 4], const Function& function) const {
        for (int j = 0; j < 8; ++j) {
            for (int which = 0; which < 2; ++which) {
                Quad numbers = sums_[which][j];
                for (float& number : numbers.values) number = function(number);
                made[4 * number_quad_ + j][item_quad_ + which * half] = numbers;
            }
        }
    }

  private:
    static constexpr int half = items / 8;

    int item_quad_;    ///< and that one `half` further on
    int number_quad_;  ///< and the next
    Quad sums_[2][8];  ///< [quad of items][number]
};

/// The items of a team: so many, and of the last team what is left of them all, one at least.
struct Span {
    std::size_t begin;
    Index count;

    FARM_LANE Span(Index number, Index most, std::size_t size)
        : begin(static_cast<std::size_t>(number) * most),
          count(size - begin < static_cast<std::size_t>(most) ? static_cast<Index>(size - begin)
                                                              : most) {}

    /// Those behind the last are copies of it, whose results nobody stores.
    FARM_LANE std::size_t operator[](Index item) const {
        return begin + static_cast<std::size_t>(item < count ? item : count - 1);
    }
};

/// The layer behind the features of one item, through SiLU.
template <int width, int count, int items>
FARM_LANE void first_layer(const float* features, const Quad (&matrix)[count][width / 4],
                           const Quad* bias, Tile<width, items>& made, Index item) {
    for (int q = 0; q < width / 4; ++q) {
        Quad sums = bias[q];
        for (int k = 0; k < count; ++k) add_row(sums, features[k], matrix[k][q]);
        for (int k = 0; k < 4; ++k) made.at(4 * q + k, item) = silu(sums.values[k]);
    }
}

template <int width, int items>
FARM_LANE float dot(const Tile<width, items>& tile, Index item, const Quad* weights, float bias) {
    float sum = bias;
    for (int k = 0; k < width; ++k) {
        sum = multiply_add(weights[k / 4].values[k % 4], tile.at(k, item), sum);
    }
    return sum;
}

struct AsItIs {
    FARM_LANE float operator()(float number) const { return number; }
};
struct Silu {
    FARM_LANE float operator()(float number) const { return silu(number); }
};

/// What one lane does of a layer from tile to tile, each number through `function`.
template <int width, int items, int row_count, class Function>
FARM_LANE void layer(Index lane, const Quad (&matrix)[row_count][width / 4], const Quad* bias,
                     const Quad (*given)[items / 4], Tile<width, items>& made,
                     const Function& function) {
    Block<width, items> block(lane);
    block.set(bias);
    block.add_product(matrix, given);
    block.store(made.rows, function);
}

}  // namespace farm::tracking::twin
