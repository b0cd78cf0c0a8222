#include "gpu_worker/core/combine.h"

#include <algorithm>

#include "common/core/expect.h"

namespace farm {

namespace {

bool same_beyond_rows(const TensorDesc& a, const TensorDesc& b) {
    if (a.name != b.name || a.type != b.type || a.shape.size() != b.shape.size()) return false;
    return !a.shape.empty() && std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1);
}

}  // namespace

bool same_shape_beyond_rows(const TensorList& a, const TensorList& b) {
    return std::ranges::equal(a, b, [](const Tensor& left, const Tensor& right) {
        return same_beyond_rows(left.desc, right.desc);
    });
}

TensorList combine_rows(RunCalls calls, const Allocate& allocate) {
    FARM_EXPECT(!calls.empty());
    const TensorList& first = *calls.front();
    if (calls.size() == 1) return first;
    for (const TensorList* call : calls) FARM_EXPECT(same_shape_beyond_rows(first, *call));
    TensorList run;
    run.reserve(first.size());
    for (std::size_t i = 0; i < first.size(); ++i)
        run.push_back(concatenate_rows(calls, i, allocate));
    return run;
}

std::vector<TensorList> split_rows(const TensorList& outputs, std::span<const std::uint32_t> rows) {
    std::vector<TensorList> calls(rows.size());
    std::uint64_t all_rows = 0;
    for (const std::uint32_t count : rows) all_rows += count;
    for (const Tensor& output : outputs) {
        FARM_EXPECT(all_rows > 0 && !output.desc.shape.empty() &&
                    output.desc.shape[0] == static_cast<std::int64_t>(all_rows));
        std::int64_t first = 0;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            calls[i].push_back(slice_rows(output, first, rows[i]));
            first += rows[i];
        }
    }
    return calls;
}

}  // namespace farm
