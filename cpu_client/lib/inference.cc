#include "cpu_client/lib/inference.h"

#include <algorithm>

namespace farm {

const TensorDesc& Output::desc() const {
    static const TensorDesc none;
    return tensor_ == nullptr ? none : tensor_->desc;
}

Result<Tensor> Output::tensor() const {
    if (tensor_ == nullptr) return tl::unexpected<Error>(problem_);
    return *tensor_;
}

tl::unexpected<Error> Output::wrong_type(DType asked) const {
    return fail(ErrorCode::invalid, "output '" + tensor_->desc.name + "' is read as " +
                                        to_string(asked) + " (it holds " +
                                        to_string(tensor_->desc.type) + "): read it as that");
}

Output Inference::output(std::string_view name) const& {
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [name](const Tensor& t) { return t.desc.name == name; });
    if (found != outputs.end()) return Output(*found);
    std::string text = "no output '" + std::string(name) + "'";
    if (!ok()) {
        text += " (the call ended " + std::string(to_string(status));
        if (!detail.empty()) text += ": " + detail;
        return Output(Error{ErrorCode::not_found, text + ")"});
    }
    text += " (there is";
    for (const Tensor& output : outputs) text += " '" + output.desc.name + "'";
    return Output(Error{ErrorCode::not_found, text + (outputs.empty() ? " none)" : ")")});
}

}  // namespace farm
