#include "gpu_worker/core/slices.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/core/expect.h"

namespace farm {

namespace {

/// So many small runs show as much as more would.
constexpr std::uint32_t most_trials = 4;

}  // namespace

bool can_slice(const ServiceAd& service) {
    if (service.batch != BatchRule::rows || service.signature.outputs.empty()) return false;
    return std::ranges::all_of(service.signature.outputs, [](const TensorSpec& output) {
        return !output.dims.empty() && std::all_of(output.dims.begin() + 1, output.dims.end(),
                                                   [](std::int64_t length) { return length >= 0; });
    });
}

std::vector<std::uint32_t> slice_sizes(std::uint32_t rows, std::uint32_t most_rows) {
    FARM_EXPECT(rows > 0 && most_rows > 0);
    const std::uint32_t count = (rows - 1) / most_rows + 1;
    std::vector<std::uint32_t> sizes(count, rows / count);
    for (std::uint32_t i = 0; i < rows % count; ++i) ++sizes[i];
    return sizes;
}

Slices slices_of(std::uint32_t rows, const BatchSizes::Choice& choice) {
    const std::uint32_t size = std::max(1U, choice.size.rows);
    if (!choice.size.is_trial) return {slice_sizes(rows, size), 0};
    if (rows <= size) return {{rows}, 1};
    const std::uint32_t most = size < choice.usual_rows ? most_trials : 1;
    const std::uint32_t trials = std::min(most, rows / size);
    Slices slices{std::vector<std::uint32_t>(trials, size), trials};
    const std::uint32_t rest = rows - trials * size;
    if (rest == 0) return slices;
    const auto others = slice_sizes(rest, std::max(1U, choice.usual_rows));
    slices.rows.insert(slices.rows.end(), others.begin(), others.end());
    return slices;
}

TensorList slice_rows(const TensorList& call, std::uint32_t first, std::uint32_t count) {
    TensorList slice;
    slice.reserve(call.size());
    for (const Tensor& tensor : call) {
        const auto rows = static_cast<std::uint64_t>(tensor.desc.shape.at(0));
        FARM_EXPECT(std::uint64_t{first} + count <= rows);
        const std::size_t row_bytes = tensor.data.size() / rows;
        Tensor part{tensor.desc, tensor.data.slice(first * row_bytes, count * row_bytes)};
        part.desc.shape[0] = count;
        slice.push_back(std::move(part));
    }
    return slice;
}

void SlicedOutputs::add(const TensorList& outputs, std::uint32_t count) {
    FARM_EXPECT(count > 0 && filled_rows_ + count <= rows_);
    if (blocks_.empty()) {
        for (const Tensor& output : outputs) {
            descs_.push_back(output.desc);
            descs_.back().shape[0] = rows_;
            blocks_.emplace_back(output.data.size() / count * rows_);
        }
    }
    FARM_EXPECT(outputs.size() == blocks_.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Bytes part = outputs[i].data.bytes();
        const std::size_t at = blocks_[i].size() / rows_ * filled_rows_;
        FARM_EXPECT(at + part.size() <= blocks_[i].size());
        if (!part.empty()) std::memcpy(blocks_[i].data() + at, part.data(), part.size());
    }
    filled_rows_ += count;
}

TensorList SlicedOutputs::take() {
    FARM_EXPECT(filled_rows_ == rows_);
    TensorList whole;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        whole.push_back({std::move(descs_[i]), std::move(blocks_[i]).freeze()});
    }
    blocks_.clear();
    return whole;
}

}  // namespace farm
