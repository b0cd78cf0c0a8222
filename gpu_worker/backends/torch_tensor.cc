#include "gpu_worker/backends/torch_tensor.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

namespace farm {

namespace {

struct TypePair {
    DType ours;
    at::ScalarType theirs;
};

const std::array<TypePair, 10> type_pairs = {{
    {dtype::f32, at::kFloat},
    {dtype::i64, at::kLong},
    {dtype::f64, at::kDouble},
    {dtype::f16, at::kHalf},
    {dtype::bf16, at::kBFloat16},
    {dtype::i32, at::kInt},
    {dtype::i16, at::kShort},
    {dtype::i8, at::kChar},
    {dtype::u8, at::kByte},
    {dtype::boolean, at::kBool},
}};

DType our_type(at::ScalarType type) {
    for (const TypePair& pair : type_pairs) {
        if (pair.theirs == type) return pair.ours;
    }
    TORCH_CHECK(false, "the model returns element type ", type, ", which cannot be sent");
}

Buffer aligned(const Buffer& data, std::size_t element_bytes) {
    const auto address = reinterpret_cast<std::uintptr_t>(data.data());
    return address % element_bytes == 0 ? data : Buffer::copy_of(data.bytes());
}

/// Keeps the bytes alive.
at::Tensor view_of(Buffer bytes, const TensorDesc& desc, at::ScalarType type) {
    void* data = const_cast<std::byte*>(bytes.data());  // NOLINT: libtorch has no view of const
    const auto release = [held = std::move(bytes)](void*) {};
    return at::from_blob(data, desc.shape, release, at::TensorOptions().dtype(type));
}

/// In host memory that a CUDA device reads and writes by itself, or in ordinary memory when no more
/// can be pinned. libtorch does not use it again before the copies that it began have ended.
at::Tensor pinned(at::IntArrayRef shape, at::ScalarType type) {
    const at::TensorOptions options = at::TensorOptions().dtype(type);
    try {
        return at::empty(shape, options.pinned_memory(true));
    } catch (const c10::Error&) {
        return at::empty(shape, options);
    }
}

at::Tensor to_cuda(const Tensor& tensor, at::ScalarType type, const c10::Device& device) {
    at::Tensor host = view_of(tensor.data, tensor.desc, type);
    if (!host.is_pinned()) {
        host = pinned(tensor.desc.shape, type);
        std::memcpy(host.data_ptr(), tensor.data.data(), tensor.data.size());
    }
    return host.to(device, type, /*non_blocking=*/host.is_pinned());
}

at::Tensor to_host(const at::Tensor& value) {
    const at::Tensor plain = value.detach().resolve_conj().resolve_neg().contiguous();
    if (!plain.is_cuda()) return plain.to(at::kCPU);
    at::Tensor host = pinned(plain.sizes(), plain.scalar_type());
    host.copy_(plain, /*non_blocking=*/true);
    return host;
}

}  // namespace

std::optional<at::ScalarType> torch_type(const DType& type) {
    for (const TypePair& pair : type_pairs) {
        if (pair.ours == type) return pair.theirs;
    }
    return std::nullopt;
}

at::Tensor to_torch(const Tensor& tensor, const c10::Device& device, bool copies) {
    const std::optional<at::ScalarType> type = torch_type(tensor.desc.type);
    TORCH_CHECK(type.has_value(), "input '", tensor.desc.name, "' has type ",
                to_string(tensor.desc.type), ", which TorchScript does not have");
    if (tensor.data.empty()) {
        return at::empty(tensor.desc.shape, at::TensorOptions().dtype(*type).device(device));
    }
    if (device.is_cuda()) return to_cuda(tensor, *type, device);
    Buffer bytes = aligned(tensor.data, tensor.desc.type.bytes());
    return view_of(std::move(bytes), tensor.desc, *type)
        .to(device, *type, /*non_blocking=*/false, copies);
}

Tensor from_torch(const std::string& name, const at::Tensor& value) {
    TORCH_CHECK(value.layout() == at::kStrided, "the model returns a sparse tensor for '", name,
                "', which cannot be sent");
    auto kept = std::make_shared<const at::Tensor>(to_host(value));
    const auto* data = static_cast<const std::byte*>(kept->data_ptr());
    const std::size_t size = kept->nbytes();
    TensorDesc desc{name, our_type(kept->scalar_type()), kept->sizes().vec()};
    return {std::move(desc), Buffer(std::shared_ptr<const std::byte>(kept, data), size)};
}

}  // namespace farm
