#include "schemas/tensor.h"

#include <algorithm>
#include <array>
#include <limits>

#include "schemas/limits.h"

namespace farm {

namespace {

struct DTypeNames {
    DType type;
    std::string_view numpy;
    std::string_view triton;
};

constexpr std::array<DTypeNames, 13> known_types{{
    {dtype::f32, "float32", "FP32"},
    {dtype::f16, "float16", "FP16"},
    {dtype::f64, "float64", "FP64"},
    {dtype::bf16, "bfloat16", "BF16"},
    {dtype::i8, "int8", "INT8"},
    {dtype::i16, "int16", "INT16"},
    {dtype::i32, "int32", "INT32"},
    {dtype::i64, "int64", "INT64"},
    {dtype::u8, "uint8", "UINT8"},
    {dtype::u16, "uint16", "UINT16"},
    {dtype::u32, "uint32", "UINT32"},
    {dtype::u64, "uint64", "UINT64"},
    {dtype::boolean, "bool", "BOOL"},
}};

const DTypeNames* find_type(DType type) {
    const auto* found = std::find_if(known_types.begin(), known_types.end(),
                                     [&](const DTypeNames& known) { return known.type == type; });
    return found == known_types.end() ? nullptr : found;
}

std::string_view code_name(std::uint8_t code) {
    switch (code) {
        case DType::integer: return "int";
        case DType::uint: return "uint";
        case DType::floating: return "float";
        case DType::bfloat: return "bfloat";
        case DType::complex: return "complex";
        case DType::boolean: return "bool";
    }
    return "code";
}

std::string named(const TensorDesc& desc) { return "tensor '" + desc.name + "' "; }

/// Of each code, its numbers of bits; all are powers of two, so each is a bit.
constexpr auto known_bits = [] {
    std::array<std::uint8_t, DType::boolean + 1> bits{};
    for (const DTypeNames& known : known_types) bits[known.type.code] |= known.type.bits;
    return bits;
}();

/// Without a search, because sizes are checked several times for each call.
bool is_known(DType type) {
    const bool is_power = (type.bits & (type.bits - 1)) == 0;
    return type.lanes == 1 && type.code < known_bits.size() && is_power &&
           (known_bits[type.code] & type.bits) != 0;
}

/// a * b, or nothing when that passes `bound`.
std::optional<std::uint64_t> bounded_product(std::uint64_t a, std::uint64_t b,
                                             std::uint64_t bound) {
    if (a != 0 && b > bound / a) return std::nullopt;
    return a * b;
}

}  // namespace

std::string to_string(DType type) {
    if (const DTypeNames* known = find_type(type)) return std::string(known->numpy);
    std::string text(code_name(type.code));
    if (text == "code") text += std::to_string(type.code) + "_";
    text += std::to_string(type.bits);
    if (type.lanes == 1) return text;
    text += 'x';
    text += std::to_string(type.lanes);
    return text;
}

std::optional<DType> parse_dtype(std::string_view name) {
    constexpr std::string_view config_prefix = "TYPE_";
    if (name.substr(0, config_prefix.size()) == config_prefix) {
        name.remove_prefix(config_prefix.size());
    }
    for (const DTypeNames& known : known_types) {
        if (name == known.numpy || name == known.triton) return known.type;
    }
    return std::nullopt;
}

std::string to_string(const Shape& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i != 0) text += ", ";
        text += std::to_string(shape[i]);
    }
    return text + "]";
}

Result<std::uint64_t> checked_size_bytes(const TensorDesc& desc) {
    if (!is_known(desc.type)) {
        return fail(ErrorCode::invalid,
                    named(desc) + "has type " + to_string(desc.type) +
                        " (not one of the types of this protocol): send bool, an int, a uint, "
                        "float16, float32, float64 or bfloat16 with 1 lane");
    }
    if (desc.shape.size() > limits::tensor_rank) {
        return fail(ErrorCode::invalid, named(desc) + "has " + std::to_string(desc.shape.size()) +
                                            " dimensions (the limit is " +
                                            std::to_string(limits::tensor_rank) + "): reshape it");
    }
    std::uint64_t size = desc.type.bytes();
    bool is_empty = false;
    for (const std::int64_t length : desc.shape) {
        if (length < 0) {
            return fail(ErrorCode::invalid, named(desc) + "has shape " + to_string(desc.shape) +
                                                " (a dimension is negative): send 0 or more");
        }
        if (length == 0) is_empty = true;
    }
    // The lengths other than 0 are bounded too: strides of an empty tensor must not overflow.
    for (const std::int64_t length : desc.shape) {
        if (length == 0) continue;
        const auto product =
            bounded_product(size, static_cast<std::uint64_t>(length), limits::call_bytes);
        if (!product) {
            return fail(ErrorCode::too_large,
                        named(desc) + "of type " + to_string(desc.type) + " has shape " +
                            to_string(desc.shape) + " (more than the limit of " +
                            std::to_string(limits::call_bytes) + " bytes): split the call");
        }
        size = *product;
    }
    return is_empty ? 0 : size;
}

std::uint32_t row_count(const std::vector<Tensor>& tensors) {
    if (tensors.empty() || tensors.front().desc.shape.empty()) return 1;
    constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(tensors.front().desc.shape.front(), 0, most));
}

}  // namespace farm
