#include "gpu_worker/backends/torch_arguments.h"

#include <algorithm>
#include <utility>

#include "gpu_worker/backends/name_convention.h"
#include "gpu_worker/backends/torch_tensor.h"

namespace farm {

namespace {

struct NamedValue {
    std::string name;
    at::Tensor value;
};

bool takes_tensor(const c10::Argument& argument) {
    return c10::TensorType::get()->isSubtypeOf(*argument.type());
}

/// Everything that a run gives to forward(), what the batch rule makes included.
std::vector<TensorSpec> run_inputs(const ModelSource& source) {
    std::vector<TensorSpec> inputs = source.signature.inputs;
    const std::vector<TensorSpec> generated = source.batching->generated_inputs();
    inputs.insert(inputs.end(), generated.begin(), generated.end());
    return inputs;
}

std::vector<std::string> names_of(const std::vector<TensorSpec>& specs) {
    std::vector<std::string> names;
    for (const TensorSpec& spec : specs) names.push_back(spec.name);
    return names;
}

Result<void> check_types(const ModelSource& source) {
    for (const TensorSpec& spec : source.signature.inputs) {
        if (torch_type(spec.type)) continue;
        return fail(ErrorCode::invalid, "input '" + spec.name + "' has data_type " +
                                            to_string(spec.type) +
                                            " (TorchScript does not have it): use a signed type");
    }
    return {};
}

/// Arguments that stay empty need a default; those that are filled must take a tensor.
Result<void> check_arguments(const std::vector<c10::Argument>& arguments,
                             const std::vector<std::size_t>& positions) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const c10::Argument& argument = arguments[i];
        const bool filled = std::ranges::find(positions, i) != positions.end();
        if (filled && !takes_tensor(argument)) {
            return fail(ErrorCode::invalid,
                        "forward takes '" + argument.name() + "' of type " +
                            argument.type()->str() +
                            " (only tensors can be sent): export a forward of tensors");
        }
        if (!filled && !argument.default_value()) {
            return fail(ErrorCode::invalid,
                        "forward takes '" + argument.name() +
                            "' (no input of config.pbtxt fills it): add an input section called "
                            "'" +
                            argument.name() + "', or '<name>__" + std::to_string(i) + "'");
        }
    }
    return {};
}

void add_sequence(c10::ArrayRef<c10::IValue> items, std::vector<NamedValue>& values) {
    for (const c10::IValue& item : items) {
        TORCH_CHECK(item.isTensor(), "the model returns a ", item.tagKind(),
                    " inside its result, and only tensors can be sent");
        values.push_back({"", item.toTensor()});
    }
}

void add_dict(const c10::IValue& result, std::vector<NamedValue>& values) {
    for (const auto& item : result.toGenericDict()) {
        TORCH_CHECK(item.key().isString() && item.value().isTensor(),
                    "the model returns a dict that is not from names to tensors");
        values.push_back({item.key().toStringRef(), item.value().toTensor()});
    }
}

std::vector<NamedValue> flatten(const c10::IValue& result) {
    std::vector<NamedValue> values;
    if (result.isTensor()) {
        values.push_back({"", result.toTensor()});
    } else if (result.isTuple()) {
        const auto tuple = result.toTuple();
        add_sequence(tuple->elements(), values);
    } else if (result.isTensorList()) {
        for (const at::Tensor& value : result.toTensorVector()) values.push_back({"", value});
    } else if (result.isList()) {
        add_sequence(result.toListRef(), values);
    } else if (result.isGenericDict()) {
        add_dict(result, values);
    } else {
        TORCH_CHECK(false, "the model returns a ", result.tagKind(),
                    ", and only tensors can be sent");
    }
    return values;
}

}  // namespace

Result<TorchArguments> TorchArguments::make(const ModelSource& source,
                                            const c10::FunctionSchema& schema) {
    TorchArguments made;
    made.model_ = source.model;
    const std::vector<c10::Argument>& all = schema.arguments();
    if (!all.empty()) made.arguments_.assign(all.begin() + 1, all.end());
    std::vector<std::string> argument_names;
    for (const c10::Argument& argument : made.arguments_) argument_names.push_back(argument.name());
    if (auto types = check_types(source); !types) return tl::unexpected(types.error());
    const std::vector<std::string> inputs =
        source.has_config ? names_of(run_inputs(source)) : argument_names;
    const auto positions = argument_positions(inputs, argument_names);
    if (!positions) return tl::unexpected(positions.error());
    if (auto fit = check_arguments(made.arguments_, *positions); !fit) {
        return tl::unexpected(fit.error());
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        made.slots_.push_back({inputs[i], (*positions)[i]});
    }
    made.output_names_ = names_of(source.signature.outputs);
    for (const TensorSpec& spec : source.signature.outputs) {
        // A type that TorchScript does not have is told when an output is compared with it.
        made.output_types_.push_back(torch_type(spec.type).value_or(at::kFloat));
    }
    made.output_positions_ = result_positions(made.output_names_);
    return made;
}

tl::expected<std::vector<c10::IValue>, RunFailure> TorchArguments::arguments(
    std::span<const Tensor> inputs, const c10::Device& device,
    std::optional<at::ScalarType> precision, bool copies) const {
    std::vector<c10::IValue> values(arguments_.size());
    std::vector<bool> filled(arguments_.size(), false);
    for (const Tensor& tensor : inputs) {
        const auto slot = std::ranges::find(slots_, tensor.desc.name, &Slot::input);
        if (slot == slots_.end()) {
            return tl::unexpected(RunFailure{
                Outcome::input_error, "input '" + tensor.desc.name + "' is not known (model '" +
                                          model_ + "' does not take it): leave it out"});
        }
        at::Tensor value = to_torch(tensor, device, copies);
        if (precision && value.is_floating_point()) value = value.to(*precision);
        values[slot->position] = std::move(value);
        filled[slot->position] = true;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (filled[i]) continue;
        if (!arguments_[i].default_value()) {
            return tl::unexpected(
                RunFailure{Outcome::input_error, "input for argument '" + arguments_[i].name() +
                                                     "' is missing (model '" + model_ +
                                                     "' has no default for it): send it"});
        }
        values[i] = *arguments_[i].default_value();
    }
    return values;
}

tl::expected<TensorList, RunFailure> TorchArguments::outputs(
    const c10::IValue& result, std::optional<at::ScalarType> precision) const {
    const std::vector<NamedValue> values = flatten(result);
    TensorList tensors;
    if (output_names_.empty()) {
        for (const NamedValue& value : values) {
            const std::string number = "OUTPUT__" + std::to_string(tensors.size());
            tensors.push_back(from_torch(value.name.empty() ? number : value.name, value.value));
        }
        return tensors;
    }
    for (std::size_t i = 0; i < output_names_.size(); ++i) {
        const std::string& name = output_names_[i];
        auto value = std::ranges::find(values, name, &NamedValue::name);
        const bool by_position = value == values.end() && output_positions_[i] < values.size() &&
                                 values[output_positions_[i]].name.empty();
        if (by_position) value = values.begin() + static_cast<std::ptrdiff_t>(output_positions_[i]);
        if (value == values.end()) {
            return tl::unexpected(RunFailure{
                Outcome::device_fault, "output '" + name + "' is not in the result (model '" +
                                           model_ + "' returned " + std::to_string(values.size()) +
                                           " tensors): correct config.pbtxt"});
        }
        const bool converted = precision && value->value.scalar_type() == *precision;
        tensors.push_back(
            from_torch(name, converted ? value->value.to(output_types_[i]) : value->value));
    }
    return tensors;
}

}  // namespace farm
