#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/core/buffer.h"
#include "common/core/error.h"
#include "common/core/transfer.h"
#include "schemas/messages.h"
#include "schemas/tensor.h"

/// Frame 1's share of one call or result, and the way between it and tensors.
///
/// The rule of placement is strict and both sides apply it: a tensor of at most
/// limits::inline_tensor_bytes lies in the body, a larger one in a frame (or chunks) of its own, in
/// the order of the descriptors. Brokers never call anything here.
namespace farm {

/// Errors (protocol) name tensor, field, value and limit. The Buffers of inlined tensors are slices
/// of `body`, which they keep alive; they may start at any address.
Result<CallBody> decode_call_body(const Buffer& body);
Result<AnswerBody> decode_answer_body(const Buffer& body);

/// Descriptors and inline tensors as bytes. `inlined` is obeyed, not decided here.
Buffer encode_body(const CallBody& body);
Buffer encode_body(const AnswerBody& body);

/// Who makes the answers of a service, as bytes: encoded once for all of them.
class EncodedProvenance {
  public:
    EncodedProvenance() = default;
    EncodedProvenance(const Provenance& made_by);

    const std::string& bytes() const { return bytes_; }
    std::size_t field_count() const { return field_count_; }

  private:
    std::string bytes_;
    std::size_t field_count_{0};
};

/// Body and frames of these tensors. The frames share the tensors' bytes (no copy), whatever their
/// size: for a chunked transfer they are what the chunks are cut from. Error (invalid, too_large)
/// when a tensor's bytes do not match its description, or a limit of wire.md is passed.
Result<Payload> pack_call(std::span<const Tensor> tensors);
Result<Payload> pack_answer(std::span<const Tensor> tensors, const EncodedProvenance& made_by);

/// Tensors whose Buffers are slices of the body or the frames themselves: nothing is copied, and
/// nothing is aligned, so copy before typed access. Error (protocol) as above, or when frames are
/// missing, too many, or not of the size that the descriptor says.
Result<std::vector<Tensor>> unpack_call(const Payload& payload);
struct UnpackedAnswer {
    std::vector<Tensor> tensors;
    Provenance made_by;
};
Result<UnpackedAnswer> unpack_answer(const Payload& payload);

/// The tensors that are not inlined, in the order of their frames: the stream of a large transfer.
std::vector<LargeTensor> large_tensors(const std::vector<BodyTensor>& body);

/// All tensor bytes: Call::input_bytes, Answer::output_bytes.
std::uint64_t tensor_bytes(const std::vector<BodyTensor>& body);
std::uint64_t tensor_bytes(std::span<const Tensor> tensors);

}  // namespace farm
