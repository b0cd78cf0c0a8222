#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gpu_worker/core/batching.h"

namespace farm {

/// Triton's kinds of batch_input: what the model is told about the run, as one tensor.
enum class IndexKind : std::uint8_t {
    element_count,                        ///< elements of each call
    accumulated_element_count,            ///< of each call and all before it
    accumulated_element_count_with_zero,  ///< the same behind a 0
    max_element_count_as_shape,           ///< as many zeros as the largest call has elements
    item_shape,                           ///< [rows, rank]: shape of each row of each call
    item_shape_flatten,                   ///< the same as one dimension
};

/// One tensor of the run that is made from the shapes of a source input.
struct IndexTensor {
    IndexKind kind{IndexKind::element_count};
    TensorSpec target;  ///< int32, int64 or float32; dims are set by the rule
    std::string source;
};

/// What config.pbtxt says about BatchRule::ragged: allow_ragged_batch, batch_input, batch_output.
struct RaggedSettings {
    std::vector<std::string> inputs;  ///< allow_ragged_batch
    std::vector<IndexTensor> index_tensors;
    /// Outputs whose elements go back in the shapes of an input (BATCH_SCATTER_WITH_INPUT_SHAPE).
    struct Scatter {
        std::string output;
        std::string source;
    };
    std::vector<Scatter> scattered;
};

/// BatchRule::ragged: ragged inputs of any lengths become one dimension, elements of one call after
/// those of the other, also for a lone call; the others are concatenated on dimension 0 as with
/// BatchRule::rows. What Triton does with allow_ragged_batch, batch_input and batch_output: element
/// counts are those of whole calls, their batch dimension included. Outputs are cut on dimension
/// 0, scattered ones by elements.
/// Errors name the field and the tensor: one that is not there, or a type that cannot count.
Result<std::shared_ptr<const Batching>> batch_ragged(const Signature& signature,
                                                     const RaggedSettings& settings);

}  // namespace farm
