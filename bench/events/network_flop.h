#pragma once

#include <optional>

#include "common/core/error.h"
#include "gpu_worker/core/model_source.h"

namespace farm::bench {

/// What the matrix products (aten::mm, addmm) of track finding's networks come to; a multiply-add
/// is two, and what is done to single numbers is not counted. Zero for a network that the model
/// does not have.
struct NetworkFlop {
    double embedding_of_point{0};
    double filter_of_edge{0};
    double classifier_of_point{0};
    double classifier_of_edge{0};

    double of_event(double points, double graph_edges, double filtered_edges) const {
        return points * (embedding_of_point + classifier_of_point) + graph_edges * filter_of_edge +
               filtered_edges * classifier_of_edge;
    }
};

/// Counted on the processor, from runs of small graphs. Nothing in a build without libtorch.
/// Errors: those of the model's settings and networks.
Result<std::optional<NetworkFlop>> count_flop(const ModelSource& source);

}  // namespace farm::bench
