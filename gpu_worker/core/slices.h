#pragma once

#include <cstdint>
#include <vector>

#include "gpu_worker/core/backend.h"
#include "gpu_worker/core/batch_sizes.h"

namespace farm {

/// A call that is larger than a good run is made in several runs of the backend, its *slices* of
/// dimension 0 (BatchRule::rows). Pure functions; calls have passed check_inputs().

/// Whether results of slices can be put together: rows are independent of each other by the rule,
/// and the signature fixes every dimension of every output but the first.
bool can_slice(const ServiceAd& service);

/// `rows` rows in as few slices of at most `most_rows` as there can be, as equal as they can be: a
/// small rest would cost a run of its own and say nothing about the size. Both are 1 or more.
std::vector<std::uint32_t> slice_sizes(std::uint32_t rows, std::uint32_t most_rows);

/// The slices of a call; the first `trial_count` of them are trials.
struct Slices {
    std::vector<std::uint32_t> rows;
    std::size_t trial_count{0};
};
/// As `choice` says. Of a larger call only a few slices are trials, the rest is as usual.
Slices slices_of(std::uint32_t rows, const BatchSizes::Choice& choice);

/// Rows [first, first + count) of each tensor; shares the memory of `call`.
TensorList slice_rows(const TensorList& call, std::uint32_t first, std::uint32_t count);

/// Puts the outputs of slices together: each tensor in one block that is written once.
class SlicedOutputs {
  public:
    explicit SlicedOutputs(std::uint32_t rows) : rows_(rows) {}

    /// Outputs of the next `count` rows. Requires can_slice(), and check_outputs() to have passed.
    void add(const TensorList& outputs, std::uint32_t count);
    /// Requires all rows to have been added.
    TensorList take();

  private:
    std::uint32_t rows_;
    std::uint32_t filled_rows_{0};
    std::vector<TensorDesc> descs_;
    std::vector<MutableBuffer> blocks_;  ///< as descs_
};

}  // namespace farm
