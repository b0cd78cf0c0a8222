#include "gpu_worker/core/tensor_rows.h"

#include <cstring>
#include <functional>
#include <numeric>
#include <utility>

#include "common/core/expect.h"

namespace farm {

Tensor concatenate_rows(RunCalls calls, std::size_t index, const Allocate& allocate) {
    Tensor whole{(*calls.front())[index].desc, {}};
    std::int64_t rows = 0;
    std::size_t size = 0;
    for (const TensorList* call : calls) {
        rows += (*call)[index].desc.shape[0];
        size += (*call)[index].data.size();
    }
    MutableBuffer block = allocate(size);
    std::size_t offset = 0;
    for (const TensorList* call : calls) {
        const Bytes part = (*call)[index].data.bytes();
        if (!part.empty()) std::memcpy(block.data() + offset, part.data(), part.size());
        offset += part.size();
    }
    whole.desc.shape[0] = rows;
    whole.data = std::move(block).freeze();
    return whole;
}

Tensor slice_rows(const Tensor& whole, std::int64_t first, std::int64_t count) {
    const std::int64_t rows = whole.desc.shape.at(0);
    FARM_EXPECT(first >= 0 && count >= 0 && first + count <= rows);
    const std::size_t row_bytes =
        rows == 0 ? 0 : whole.data.size() / static_cast<std::size_t>(rows);
    Tensor part{whole.desc, whole.data.slice(static_cast<std::size_t>(first) * row_bytes,
                                             static_cast<std::size_t>(count) * row_bytes)};
    part.desc.shape[0] = count;
    return part;
}

std::int64_t element_count(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace farm
