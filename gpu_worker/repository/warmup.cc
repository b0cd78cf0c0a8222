#include "gpu_worker/repository/warmup.h"

#include <cstring>
#include <fstream>
#include <random>
#include <utility>

namespace farm {

namespace {

tl::unexpected<Error> wrong_size(const WarmupInput& input, std::uint64_t takes) {
    return fail(ErrorCode::invalid, "warm-up file '" + input.file + "' cannot be used (input '" +
                                        input.desc.name + "' " + to_string(input.desc.type) + " " +
                                        to_string(input.desc.shape) + " takes " +
                                        std::to_string(takes) +
                                        " bytes): write exactly these bytes, little-endian");
}

Result<void> fill_from_file(const WarmupInput& input, MutableBuffer& block) {
    std::ifstream stream(input.file, std::ios::binary);
    stream.read(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(block.size()));
    const bool has_all = static_cast<std::size_t>(stream.gcount()) == block.size();
    if (!has_all || stream.peek() != std::ifstream::traits_type::eof()) {
        return wrong_size(input, block.size());
    }
    return {};
}

template <class Number>
void fill_uniform(MutableBuffer& block, std::mt19937_64& engine) {
    std::uniform_real_distribution<Number> uniform(0, 1);
    for (std::size_t at = 0; at + sizeof(Number) <= block.size(); at += sizeof(Number)) {
        const Number number = uniform(engine);
        std::memcpy(block.data() + at, &number, sizeof(number));
    }
}

/// 0 or 1 in each element, whatever its width: only the lowest byte is set.
void fill_bits(MutableBuffer& block, std::size_t element_bytes, std::mt19937_64& engine) {
    std::memset(block.data(), 0, block.size());
    for (std::size_t at = 0; at < block.size(); at += element_bytes) {
        block.data()[at] = static_cast<std::byte>(engine() & 1);
    }
}

void fill_random(const DType& type, MutableBuffer& block) {
    std::mt19937_64 engine(2026);  // NOLINT: the same in every process, on purpose
    if (type == dtype::f32) return fill_uniform<float>(block, engine);
    if (type == dtype::f64) return fill_uniform<double>(block, engine);
    const bool whole_numbers =
        type.code == DType::integer || type.code == DType::uint || type.code == DType::boolean;
    if (whole_numbers) return fill_bits(block, type.bytes(), engine);
    std::memset(block.data(), 0, block.size());  // half precision: zeros do for a warm-up
}

Result<Tensor> warmup_tensor(const WarmupInput& input) {
    const Result<std::uint64_t> size = checked_size_bytes(input.desc);
    if (!size) return tl::unexpected(size.error());
    MutableBuffer block(*size);
    if (input.data == WarmupData::zero) std::memset(block.data(), 0, block.size());
    if (input.data == WarmupData::random) fill_random(input.desc.type, block);
    if (input.data == WarmupData::file) {
        if (auto filled = fill_from_file(input, block); !filled) {
            return tl::unexpected(filled.error());
        }
    }
    return Tensor{input.desc, std::move(block).freeze()};
}

}  // namespace

Result<TensorList> warmup_tensors(const WarmupRun& run) {
    TensorList tensors;
    for (const WarmupInput& input : run.inputs) {
        Result<Tensor> tensor = warmup_tensor(input);
        if (!tensor) return tl::unexpected(tensor.error());
        tensors.push_back(std::move(*tensor));
    }
    return tensors;
}

}  // namespace farm
