#include "gpu_worker/core/input_check.h"

#include <algorithm>
#include <array>
#include <utility>

namespace farm {

namespace {

std::string count_of(std::int64_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string model_of(const ServiceAd& service) {
    return "model '" + service.model + "' version " + std::to_string(service.version);
}

std::string dimension_name(std::size_t dimension, std::int64_t length) {
    if (dimension == 0) return count_of(length, "row");
    if (dimension == 1) return count_of(length, "column");
    return "length " + std::to_string(length) + " in dimension " + std::to_string(dimension);
}

std::string names_of(const std::vector<TensorSpec>& specs) {
    std::string text;
    for (const TensorSpec& spec : specs) text += (text.empty() ? "'" : ", '") + spec.name + "'";
    return text;
}

/// Of which tensors, for error texts.
enum class Side { input, output };

/// One tensor against its specification.
struct Comparison {
    const ServiceAd& service;
    Side side;

    [[gnu::cold]] tl::unexpected<Error> mismatch(const std::string& name, const TensorSpec& spec,
                                                 const std::string& has,
                                                 const std::string& takes) const {
        const bool is_input = side == Side::input;
        return fail(
            is_input ? ErrorCode::invalid : ErrorCode::device,
            (is_input ? "input '" : "output '") + name + "' has " + has + " (" + model_of(service) +
                (is_input ? " takes " : " declares ") + takes + "): " +
                (is_input ? "send " + describe(spec) : "correct the model or its config.pbtxt"));
    }
};

Result<void> check_size(const Tensor& tensor, std::string_view what, ErrorCode code) {
    const Result<std::uint64_t> size = checked_size_bytes(tensor.desc);
    if (!size) {
        const ErrorCode kept = code == ErrorCode::device ? code : size.error().code;
        return fail(kept, size.error().message);
    }
    if (*size == tensor.data.size()) return {};
    return fail(code, std::string(what) + " '" + tensor.desc.name + "' carries " +
                          count_of(static_cast<std::int64_t>(tensor.data.size()), "byte") + " (" +
                          to_string(tensor.desc.type) + " " + to_string(tensor.desc.shape) +
                          " has " + std::to_string(*size) +
                          "): send exactly the bytes of the shape");
}

Result<void> check_type(const Tensor& tensor, const TensorSpec& spec, const Comparison& compare) {
    if (tensor.desc.type == spec.type) return {};
    return compare.mismatch(tensor.desc.name, spec, "type " + to_string(tensor.desc.type),
                            to_string(spec.type));
}

Result<void> check_spec(const Tensor& tensor, const TensorSpec& spec, const Comparison& compare) {
    const TensorDesc& desc = tensor.desc;
    if (auto typed = check_type(tensor, spec, compare); !typed) return typed;
    if (desc.shape.size() != spec.dims.size()) {
        return compare.mismatch(
            desc.name, spec,
            count_of(static_cast<std::int64_t>(desc.shape.size()), "dimension") + " " +
                to_string(desc.shape),
            std::to_string(spec.dims.size()));
    }
    for (std::size_t i = 0; i < spec.dims.size(); ++i) {
        if (spec.dims[i] < 0 || spec.dims[i] == desc.shape[i]) continue;
        return compare.mismatch(desc.name, spec, dimension_name(i, desc.shape[i]),
                                std::to_string(spec.dims[i]));
    }
    return {};
}

Result<void> check_names_once(const TensorList& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (inputs[i].desc.name != inputs[j].desc.name) continue;
            return fail(ErrorCode::invalid, "input '" + inputs[i].desc.name +
                                                "' is given twice (each input has one tensor): "
                                                "send it once");
        }
    }
    return {};
}

Result<void> check_known(const ServiceAd& service, const TensorList& inputs) {
    for (const Tensor& tensor : inputs) {
        const auto& specs = service.signature.inputs;
        const bool known = std::ranges::any_of(
            specs, [&](const TensorSpec& spec) { return spec.name == tensor.desc.name; });
        if (known) continue;
        return fail(ErrorCode::invalid, "input '" + tensor.desc.name + "' is not known (" +
                                            model_of(service) + " takes " + names_of(specs) +
                                            "): use these names");
    }
    return {};
}

/// Moves the tensors into signature order. Names are known to be unique and in the signature.
Result<void> reorder(const ServiceAd& service, TensorList& inputs) {
    std::size_t placed = 0;
    for (const TensorSpec& spec : service.signature.inputs) {
        const auto begin = inputs.begin() + static_cast<std::ptrdiff_t>(placed);
        const auto found = std::find_if(begin, inputs.end(), [&](const Tensor& tensor) {
            return tensor.desc.name == spec.name;
        });
        if (found != inputs.end()) {
            std::iter_swap(begin, found);
            ++placed;
        } else if (!spec.optional) {
            return fail(ErrorCode::invalid,
                        "input '" + spec.name + "' is missing (" + model_of(service) + " takes " +
                            names_of(service.signature.inputs) + "): send " + describe(spec));
        }
    }
    return {};
}

Result<void> check_against_signature(const ServiceAd& service, TensorList& inputs) {
    if (auto known = check_known(service, inputs); !known) return known;
    if (auto ordered = reorder(service, inputs); !ordered) return ordered;
    auto spec = service.signature.inputs.begin();
    for (const Tensor& tensor : inputs) {
        while (spec->name != tensor.desc.name) ++spec;
        if (auto fits = check_spec(tensor, *spec, {service, Side::input}); !fits) {
            return fits;
        }
    }
    return {};
}

Result<void> check_rows_of(const ServiceAd& service, const Tensor& tensor, const Tensor& first) {
    if (tensor.desc.shape.empty()) {
        return fail(ErrorCode::invalid, "input '" + tensor.desc.name + "' has no rows (" +
                                            model_of(service) +
                                            " batches on dimension 0): send at least 1 dimension");
    }
    const std::int64_t rows = tensor.desc.shape[0];
    if (rows == 0) {
        return fail(ErrorCode::invalid, "input '" + tensor.desc.name + "' has 0 rows (" +
                                            model_of(service) +
                                            " takes 1 or more): do not call it for nothing");
    }
    if (rows != first.desc.shape[0]) {
        return fail(ErrorCode::invalid, "input '" + tensor.desc.name + "' has " +
                                            count_of(rows, "row") + " (input '" + first.desc.name +
                                            "' has " + std::to_string(first.desc.shape[0]) +
                                            "): send the same number of rows in every input");
    }
    const std::int64_t most = service.max_batch_rows;
    if (most == 0 || rows <= most) return {};
    return fail(ErrorCode::too_large, "input '" + tensor.desc.name + "' has " +
                                          count_of(rows, "row") + " (" + model_of(service) +
                                          " takes at most " + std::to_string(most) +
                                          " in one call): split the call");
}

/// Every input of a call has one leading batch dimension.
bool batches_on_rows(BatchRule rule) {
    return rule == BatchRule::rows || rule == BatchRule::pad_mask || rule == BatchRule::ragged;
}

Result<void> check_rows(const ServiceAd& service, const TensorList& inputs) {
    for (const Tensor& tensor : inputs) {
        if (auto rows = check_rows_of(service, tensor, inputs.front()); !rows) return rows;
    }
    return {};
}

Result<void> check_output(const ServiceAd& service, std::uint32_t run_rows, const Tensor& output,
                          const TensorSpec* spec) {
    const Comparison compare{service, Side::output};
    if (spec != nullptr && output.desc.name != spec->name) {
        return compare.mismatch(output.desc.name, *spec, "that name", "'" + spec->name + "' here");
    }
    if (spec != nullptr) {
        // A ragged batch has shapes of its own, which its rule knows.
        const bool own_shape = service.batch == BatchRule::ragged;
        auto fits =
            own_shape ? check_type(output, *spec, compare) : check_spec(output, *spec, compare);
        if (!fits) return fits;
    }
    if (auto sized = check_size(output, "output", ErrorCode::device); !sized) return sized;
    if (service.batch != BatchRule::rows && service.batch != BatchRule::pad_mask) return {};
    const Shape& shape = output.desc.shape;
    if (!shape.empty() && shape[0] == static_cast<std::int64_t>(run_rows)) return {};
    return fail(ErrorCode::device, "output '" + output.desc.name + "' has shape " +
                                       to_string(shape) + " (" + model_of(service) + " ran " +
                                       count_of(run_rows, "row") +
                                       " and batches on dimension 0): set max_batch_size to 0 if "
                                       "it cannot batch");
}

}  // namespace

std::string describe(const TensorSpec& spec) {
    constexpr std::array letters = {"n", "m", "k"};
    std::size_t free_count = 0;
    std::string text = to_string(spec.type) + " [";
    for (std::size_t i = 0; i < spec.dims.size(); ++i) {
        if (i != 0) text += ", ";
        const bool lettered = spec.dims[i] < 0 && free_count < letters.size();
        text += lettered ? letters[free_count++] : std::to_string(spec.dims[i]);
    }
    return text + "]";
}

Result<std::uint32_t> check_inputs(const ServiceAd& service, TensorList& inputs) {
    if (auto once = check_names_once(inputs); !once) return tl::unexpected(once.error());
    if (!service.signature.inputs.empty()) {
        auto fits = check_against_signature(service, inputs);
        if (!fits) return tl::unexpected(fits.error());
    }
    for (const Tensor& tensor : inputs) {
        auto sized = check_size(tensor, "input", ErrorCode::invalid);
        if (!sized) return tl::unexpected(sized.error());
    }
    if (batches_on_rows(service.batch)) {
        if (auto rows = check_rows(service, inputs); !rows) return tl::unexpected(rows.error());
    }
    return row_count(inputs);
}

Result<void> check_outputs(const ServiceAd& service, std::uint32_t run_rows,
                           const TensorList& outputs) {
    const auto& specs = service.signature.outputs;
    if (!specs.empty() && outputs.size() != specs.size()) {
        return fail(ErrorCode::device,
                    model_of(service) + " returned " +
                        count_of(static_cast<std::int64_t>(outputs.size()), "tensor") +
                        " (its signature declares " + std::to_string(specs.size()) +
                        "): correct the model or its config.pbtxt");
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const TensorSpec* spec = specs.empty() ? nullptr : &specs[i];
        if (auto fits = check_output(service, run_rows, outputs[i], spec); !fits) return fits;
    }
    return {};
}

}  // namespace farm
