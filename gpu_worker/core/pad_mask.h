#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gpu_worker/core/batching.h"

namespace farm {

/// A number for every padded length, or for that of one input: "9", "pf_points__0:9, mask:1".
struct PadNumber {
    std::int64_t everywhere{0};
    std::map<std::string, std::int64_t> of_input;
};

/// What config.pbtxt says about BatchRule::pad_mask (parameters farm.pad_*).
struct PadMaskSettings {
    /// Inputs whose free dimensions are padded; those of one group share one length, in every call
    /// ("points+features+mask, vertices"). Empty: every free dimension of every input, each a
    /// length of its own.
    std::vector<std::vector<std::string>> inputs;
    PadNumber minimum{0, {}};   ///< shortest padded length; the model may need so many
    PadNumber multiple{1, {}};  ///< padded lengths are multiples of it: fewer shapes for the device
    /// Only lengths of one bucket of this width share a run; 0: those up to 8, and those between
    /// two powers of two.
    PadNumber bucket{0, {}};
    /// By output: the input whose length its free dimension has, and is cut back to.
    std::map<std::string, std::string> outputs;
};

/// BatchRule::pad_mask: sets of unequal size. Dimension 0 is concatenated as with BatchRule::rows;
/// each padded dimension grows with zeros to the longest of the run, and to the minimum, also for a
/// lone call. Exact for a model that takes a mask and is 0-padded where the mask is 0.
///
/// Calls whose lengths fall into different buckets do not share a run: that bounds the work and the
/// memory that padding wastes (by the default to twice each length above 8).
/// Errors name the parameter: an input that is not there or has nothing to pad, an output with a
/// free dimension of which the settings do not say whose length it is.
Result<std::shared_ptr<const Batching>> batch_padded(const Signature& signature,
                                                     const PadMaskSettings& settings);

}  // namespace farm
