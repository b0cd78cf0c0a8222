#include "cpu_client/lib/unpack_answer.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/wire/body.h"

namespace farm {
namespace {

constexpr std::uintptr_t largest_alignment = 8;

bool is_aligned(const Tensor& tensor) {
    const auto alignment =
        std::clamp<std::uintptr_t>(tensor.desc.type.bytes(), 1, largest_alignment);
    return reinterpret_cast<std::uintptr_t>(tensor.data.data()) % alignment == 0;
}

Result<void> read_outputs(const Payload& payload, Inference& into) {
    auto answer = unpack_answer(payload);
    if (!answer) return tl::unexpected<Error>(answer.error());
    for (Tensor& tensor : answer->tensors) {
        if (!is_aligned(tensor)) tensor.data = Buffer::copy_of(tensor.data.bytes());
    }
    into.outputs = std::move(answer->tensors);
    into.made_by = std::move(answer->made_by);
    return {};
}

}  // namespace

Inference unpack_answer(const Complete& complete, const Payload& payload) {
    Inference inference;
    inference.id = complete.id;
    inference.status = complete.status;
    inference.detail = complete.detail;
    inference.retry_after_ms = complete.retry_after_ms;
    inference.attempts = complete.attempts;
    inference.timings = complete.timings;
    if (!complete.payload) return inference;
    if (auto read = read_outputs(payload, inference); !read) {
        inference.status = CallStatus::internal;
        inference.detail = "the worker's answer cannot be read: " + read.error().message;
    }
    return inference;
}

}  // namespace farm
