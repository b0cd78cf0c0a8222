#include "bench/service/event_files.h"

#include <algorithm>
#include <span>
#include <vector>

#include "common/ops/npy.h"

namespace farm::bench {
namespace {

std::size_t element_count(const Shape& shape) {
    std::size_t count = 1;
    for (const std::int64_t length : shape) count *= static_cast<std::size_t>(length);
    return count;
}

template <class T>
Tensor tensor_of(const std::string& name, DType type, Shape shape, const std::vector<T>& values) {
    return {{name, type, std::move(shape)}, Buffer::copy_of(std::as_bytes(std::span(values)))};
}

}  // namespace

Tensor random_floats(const std::string& name, Shape shape, std::mt19937& engine) {
    std::normal_distribution<float> normal;
    std::vector<float> values(element_count(shape));
    for (float& value : values) value = normal(engine);
    return tensor_of(name, dtype::f32, std::move(shape), values);
}

Tensor constant_floats(const std::string& name, Shape shape, float value) {
    const std::vector<float> values(element_count(shape), value);
    return tensor_of(name, dtype::f32, std::move(shape), values);
}

Tensor random_edges(const std::string& name, std::int64_t nodes, std::int64_t edges,
                    std::mt19937& engine) {
    std::uniform_int_distribution<std::int64_t> node(0, nodes - 1);
    const auto count = static_cast<std::size_t>(edges);
    std::vector<std::int64_t> values(2 * count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto [low, high] = std::minmax({node(engine), node(engine)});
        values[i] = high;
        values[count + i] = low;
    }
    return tensor_of(name, dtype::i64, {2, edges}, values);
}

Result<void> write_event(const std::filesystem::path& folder, const std::vector<Tensor>& tensors) {
    std::filesystem::create_directories(folder);
    for (const Tensor& tensor : tensors) {
        const auto done = write_npy(folder / (tensor.desc.name + ".npy"), tensor);
        if (!done) return done;
    }
    return {};
}

}  // namespace farm::bench
