#include "gpu_worker/backends/torch_tensor.h"

#include <array>
#include <cstdint>
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
    const at::TensorOptions options = at::TensorOptions().dtype(*type);
    if (tensor.data.empty()) return at::empty(tensor.desc.shape, options.device(device));
    Buffer bytes = aligned(tensor.data, tensor.desc.type.bytes());
    void* data = const_cast<std::byte*>(bytes.data());  // NOLINT: libtorch has no view of const
    const auto release = [held = std::move(bytes)](void*) {};
    return at::from_blob(data, tensor.desc.shape, release, options)
        .to(device, *type, /*non_blocking=*/false, copies);
}

Tensor from_torch(const std::string& name, const at::Tensor& value) {
    TORCH_CHECK(value.layout() == at::kStrided, "the model returns a sparse tensor for '", name,
                "', which cannot be sent");
    auto kept = std::make_shared<const at::Tensor>(
        value.detach().to(at::kCPU).resolve_conj().resolve_neg().contiguous());
    const auto* data = static_cast<const std::byte*>(kept->data_ptr());
    const std::size_t size = kept->nbytes();
    TensorDesc desc{name, our_type(kept->scalar_type()), kept->sizes().vec()};
    return {std::move(desc), Buffer(std::shared_ptr<const std::byte>(kept, data), size)};
}

}  // namespace farm
