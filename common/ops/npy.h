#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "schemas/tensor.h"

namespace farm {

/// NumPy's .npy files (format versions 1.0, 2.0 and 3.0), one array a file, as tensors.
///
/// Little-endian and row-major arrays of our element types only; anything else is an error that
/// names file, field, value and limit. NumPy has no bfloat16: it is written as float32, which is
/// exact, and cannot be read. All functions are thread-safe.
inline constexpr std::size_t npy_header_limit_bytes = 64 * 1024;

struct NpyHeader {
    DType type{dtype::f32};
    Shape shape;
    std::size_t data_offset{0};  ///< where the elements begin, in bytes from the file's start
};

/// Reads what stands before the elements. `start` are the first bytes of the file `file` (its name
/// is for error texts), all of it or at least npy_header_limit_bytes + 12.
Result<NpyHeader> parse_npy_header(Bytes start, std::string_view file);

/// The header that NumPy writes for this type and shape: a multiple of 64 bytes.
std::string format_npy_header(DType type, const Shape& shape);

/// The array of a file, under the name `tensor_name`. The size of the file is compared with what
/// the header promises before anything is allocated. Errors: not_found, io, invalid, too_large.
Result<Tensor> read_npy(const std::filesystem::path& file, std::string tensor_name);

/// Replaces the file. Errors: io; invalid when the data does not have the size of the description.
Result<void> write_npy(const std::filesystem::path& file, const Tensor& tensor);

}  // namespace farm
