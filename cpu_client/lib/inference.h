#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/clock.h"
#include "common/core/error.h"
#include "cpu_client/lib/element_type.h"
#include "schemas/call_status.h"
#include "schemas/messages.h"

namespace farm {

/// One output of an Inference, or the reason why it is not there. A view: it must not outlive the
/// Inference.
class Output {
  public:
    explicit Output(const Tensor& tensor) : tensor_(&tensor) {}
    explicit Output(Error problem) : problem_(std::move(problem)) {}

    /// The elements, row-major. Error: there is no such output (not_found, names those that are),
    /// or it holds another type (invalid, names both).
    template <class T>
    Result<std::span<const T>> as() const {
        if (tensor_ == nullptr) return tl::unexpected<Error>(problem_);
        if (tensor_->desc.type != dtype_of<T>()) return wrong_type(dtype_of<T>());
        return std::span(reinterpret_cast<const T*>(tensor_->data.data()),
                         tensor_->data.size() / sizeof(T));
    }

    bool exists() const { return tensor_ != nullptr; }
    /// Name, type and shape; of nothing when it does not exist.
    const TensorDesc& desc() const;
    const Shape& shape() const { return desc().shape; }
    /// Shares the bytes: keeps them alive without the Inference.
    Result<Tensor> tensor() const;

  private:
    tl::unexpected<Error> wrong_type(DType asked) const;

    const Tensor* tensor_{nullptr};
    Error problem_;
};

/// How a call ended, and what it gave. A value; nothing in it refers to the Client. Outputs of a
/// worker on this host may be views of its memory, mapped for reading only; held for long they cost
/// the worker, up to limits::held_answer_bytes for each client.
struct Inference {
    CallId id;
    CallStatus status{CallStatus::internal};
    std::string detail;               ///< why it is not OK: field, value, limit
    std::uint32_t retry_after_ms{0};  ///< with OVERLOADED
    std::uint8_t attempts{0};         ///< 0: it did not leave this process
    Duration elapsed{0};              ///< from infer() to the status
    Timings timings;                  ///< as the worker measured the last attempt
    Provenance made_by;               ///< worker, version and content hash (rule 12)
    std::vector<Tensor> outputs;      ///< aligned for their element type

    bool ok() const { return status == CallStatus::ok; }
    Output output(std::string_view name) const&;
    Output output(std::string_view name) const&& = delete;  // it would view a temporary
};

}  // namespace farm
