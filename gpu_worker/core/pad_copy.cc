#include "gpu_worker/core/pad_copy.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace farm {

namespace {

/// Bytes of one step in each dimension.
std::vector<std::size_t> strides_of(const Shape& shape, std::size_t element_bytes) {
    std::vector<std::size_t> strides(shape.size());
    std::size_t bytes = element_bytes;
    for (std::size_t i = shape.size(); i-- > 0;) {
        strides[i] = bytes;
        bytes *= static_cast<std::size_t>(shape[i]);
    }
    return strides;
}

/// Copies what source and target have in common; dimensions from `whole_from` on are equal, so
/// they are one piece.
class Copier {
  public:
    Copier(const Shape& from, const Shape& to, std::size_t element_bytes)
        : from_strides_(strides_of(from, element_bytes)),
          to_strides_(strides_of(to, element_bytes)) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            common_.push_back(static_cast<std::size_t>(std::min(from[i], to[i])));
            if (from[i] != to[i]) last_unequal_ = i;
        }
    }

    void copy(const std::byte* source, std::byte* target, std::size_t dimension) const {
        if (dimension == last_unequal_) {
            const std::size_t bytes = common_[dimension] * to_strides_[dimension];
            if (bytes > 0) std::memcpy(target, source, bytes);
            return;
        }
        for (std::size_t i = 0; i < common_[dimension]; ++i) {
            copy(source + i * from_strides_[dimension], target + i * to_strides_[dimension],
                 dimension + 1);
        }
    }

  private:
    std::vector<std::size_t> from_strides_;
    std::vector<std::size_t> to_strides_;
    std::vector<std::size_t> common_;
    std::size_t last_unequal_{0};
};

std::size_t bytes_of(const Shape& shape, std::size_t element_bytes) {
    std::size_t bytes = element_bytes;
    for (const std::int64_t length : shape) bytes *= static_cast<std::size_t>(length);
    return bytes;
}

}  // namespace

void copy_padded(const std::byte* source, const Shape& from, std::byte* target, const Shape& to,
                 std::size_t element_bytes) {
    const std::size_t target_bytes = bytes_of(to, element_bytes);
    if (target_bytes == 0) return;
    if (from != to) std::memset(target, 0, target_bytes);
    if (bytes_of(from, element_bytes) == 0) return;
    Copier(from, to, element_bytes).copy(source, target, 0);
}

void copy_corner(const std::byte* source, const Shape& from, std::byte* target, const Shape& to,
                 std::size_t element_bytes) {
    if (bytes_of(to, element_bytes) == 0) return;
    Copier(from, to, element_bytes).copy(source, target, 0);
}

}  // namespace farm
