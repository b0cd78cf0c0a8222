#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cpu_client/lib/element_type.h"
#include "schemas/tensor.h"

namespace farm {

/// A tensor on its way into a call: type, shape and bytes (row-major).
struct TensorValue {
    DType type{dtype::f32};
    Shape shape;
    Buffer data;
};

/// Copies the elements. That their number fits the shape is checked by Client::infer.
template <class T>
TensorValue tensor(Shape shape, std::span<const T> elements) {
    return {dtype_of<T>(), std::move(shape), Buffer::copy_of(std::as_bytes(elements))};
}

/// Copies nothing: the bytes are shared with the caller and must not change. The last holder lets
/// go of them on any thread, possibly after the call has ended; with Buffer::view_of they must
/// therefore stay valid until the Client is gone.
template <class T>
TensorValue tensor(Shape shape, Buffer elements) {
    return {dtype_of<T>(), std::move(shape), std::move(elements)};
}

/// One named input of a model.
struct Input {
    std::string name;
    TensorValue value;
};
using Inputs = std::vector<Input>;

}  // namespace farm
