#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"

namespace farm {

/// Element type as DLPack's triple (dlpack.h, DLDataType).
struct DType {
    enum Code : std::uint8_t {
        integer = 0,
        uint = 1,
        floating = 2,
        bfloat = 4,
        complex = 5,
        boolean = 6
    };

    std::uint8_t code{floating};
    std::uint8_t bits{32};
    std::uint16_t lanes{1};

    friend bool operator==(const DType&, const DType&) = default;
    std::size_t bytes() const { return static_cast<std::size_t>(bits) / 8 * lanes; }
};

namespace dtype {
inline constexpr DType f16{DType::floating, 16, 1};
inline constexpr DType f32{DType::floating, 32, 1};
inline constexpr DType f64{DType::floating, 64, 1};
inline constexpr DType bf16{DType::bfloat, 16, 1};
inline constexpr DType i8{DType::integer, 8, 1};
inline constexpr DType i16{DType::integer, 16, 1};
inline constexpr DType i32{DType::integer, 32, 1};
inline constexpr DType i64{DType::integer, 64, 1};
inline constexpr DType u8{DType::uint, 8, 1};
inline constexpr DType u16{DType::uint, 16, 1};
inline constexpr DType u32{DType::uint, 32, 1};
inline constexpr DType u64{DType::uint, 64, 1};
inline constexpr DType boolean{DType::boolean, 8, 1};
}  // namespace dtype

/// "float32", "int64", "bool": as NumPy writes it; "float7x3" style text for what has no name.
std::string to_string(DType type);
/// Accepts NumPy's names and Triton's ("FP32", "TYPE_FP32"). Nothing for an unknown name.
std::optional<DType> parse_dtype(std::string_view name);

using Shape = std::vector<std::int64_t>;

/// "[3, 2]"; -1 is written as it is.
std::string to_string(const Shape& shape);

/// What a tensor is, without its bytes. Little-endian, row-major, no padding.
struct TensorDesc {
    std::string name;
    DType type{dtype::f32};
    Shape shape;

    friend bool operator==(const TensorDesc&, const TensorDesc&) = default;
};

/// Bytes that a tensor of this description has. Error when the type is not one of ours, the rank
/// is above limits::tensor_rank, a dimension is negative, or the product passes limits::call_bytes.
Result<std::uint64_t> checked_size_bytes(const TensorDesc& desc);

/// A described block of bytes; `data.size()` equals checked_size_bytes(desc) once checked.
struct Tensor {
    TensorDesc desc;
    Buffer data;
};

/// Dimension 0 of the first tensor; 1 when there is none. The unit of batching and of cost curves.
std::uint32_t row_count(const std::vector<Tensor>& tensors);

}  // namespace farm
