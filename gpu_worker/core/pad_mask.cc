#include "gpu_worker/core/pad_mask.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/core/pad_copy.h"

namespace farm {

namespace {

/// Up to here padding costs less than calls that find no company.
constexpr std::int64_t short_length = 8;

/// One length of a call; several dimensions may have it.
struct Length {
    std::string input;  ///< the first that has it
    std::int64_t minimum{0};
    std::int64_t multiple{1};
    std::int64_t bucket{0};

    std::int64_t padded(std::int64_t own) const {
        const std::int64_t longest = std::max(own, minimum);
        return (longest + multiple - 1) / multiple * multiple;
    }
    std::int64_t bucket_of(std::int64_t own) const {
        const std::int64_t length = padded(own);
        if (bucket > 0) return (length + bucket - 1) / bucket;
        return std::bit_width(static_cast<std::uint64_t>(std::max(length, short_length) - 1));
    }
};

/// Which length each dimension of a tensor has; nothing: it is not padded.
using Axes = std::vector<std::optional<std::size_t>>;

/// A dimension of an output that has the padded length of the run.
struct Cut {
    std::size_t dimension{0};
    std::size_t length{0};
};

class PadMaskBatching : public Batching {
  public:
    Result<void> add_inputs(const Signature& signature, const PadMaskSettings& settings);
    Result<void> add_outputs(const Signature& signature, const PadMaskSettings& settings);

    BatchRule rule() const override { return BatchRule::pad_mask; }

    Result<CallMeasure> measure(const TensorList& call) const override;
    bool runs_as_it_is(const TensorList& call) const override;
    Result<TensorList> combine(RunCalls calls, const Allocate& allocate) const override;
    Result<std::vector<TensorList>> split(TensorList outputs, RunCalls calls) const override;

  private:
    using Lengths = std::vector<std::int64_t>;

    Result<void> add_group(const Signature& signature, const std::vector<std::string>& group);
    void add_each(const Signature& signature);
    Result<void> set_number(const PadNumber& number, const std::string& parameter,
                            std::int64_t Length::*member);
    /// Of one call; an input that was left out leaves its length at 0.
    Result<Lengths> lengths_of(const TensorList& call) const;
    Lengths padded_lengths(RunCalls calls) const;
    Tensor pad(RunCalls calls, std::size_t index, const Lengths& padded,
               const Allocate& allocate) const;

    std::vector<Length> lengths_;
    std::map<std::string, Axes> axes_;      ///< by input
    std::vector<std::optional<Cut>> cuts_;  ///< by output
};

tl::unexpected<Error> refuse(const std::string& parameter, const std::string& problem,
                             const std::string& advice) {
    return fail(ErrorCode::invalid, "parameter '" + parameter + "' " + problem +
                                        " (farm.batch is 'pad_mask'): " + advice);
}

const TensorSpec* find(const std::vector<TensorSpec>& specs, const std::string& name) {
    const auto found = std::ranges::find(specs, name, &TensorSpec::name);
    return found == specs.end() ? nullptr : &*found;
}

std::vector<std::size_t> free_dimensions(const TensorSpec& spec) {
    std::vector<std::size_t> dimensions;
    for (std::size_t i = 1; i < spec.dims.size(); ++i) {
        if (spec.dims[i] == -1) dimensions.push_back(i);
    }
    return dimensions;
}

// ---- what the settings say --------------------------------------------------------------------

Result<void> PadMaskBatching::add_group(const Signature& signature,
                                        const std::vector<std::string>& group) {
    const std::size_t length = lengths_.size();
    lengths_.push_back({group.front()});
    for (const std::string& name : group) {
        const TensorSpec* spec = find(signature.inputs, name);
        if (spec == nullptr) {
            return refuse("farm.pad_inputs", "names '" + name + "', which is no input",
                          "use names of inputs");
        }
        const auto dimensions = free_dimensions(*spec);
        if (dimensions.empty()) {
            return refuse("farm.pad_inputs",
                          "names input '" + name + "', whose dims " + to_string(spec->dims) +
                              " have no -1 to pad beyond the first",
                          "leave it out");
        }
        const auto [place, fresh] = axes_.try_emplace(name, spec->dims.size());
        if (!fresh) return refuse("farm.pad_inputs", "names input '" + name + "' twice", "once");
        for (const std::size_t dimension : dimensions) place->second[dimension] = length;
    }
    return {};
}

void PadMaskBatching::add_each(const Signature& signature) {
    for (const TensorSpec& spec : signature.inputs) {
        for (const std::size_t dimension : free_dimensions(spec)) {
            const auto place = axes_.try_emplace(spec.name, spec.dims.size()).first;
            place->second[dimension] = lengths_.size();
            lengths_.push_back({spec.name});
        }
    }
}

Result<void> PadMaskBatching::set_number(const PadNumber& number, const std::string& parameter,
                                         std::int64_t Length::*member) {
    for (Length& length : lengths_) length.*member = number.everywhere;
    for (const auto& [input, value] : number.of_input) {
        const auto axes = axes_.find(input);
        if (axes == axes_.end()) {
            return refuse(parameter, "names '" + input + "', which is not padded",
                          "use inputs of farm.pad_inputs");
        }
        for (const auto& length : axes->second) {
            if (length) lengths_[*length].*member = value;
        }
    }
    return {};
}

Result<void> PadMaskBatching::add_inputs(const Signature& signature,
                                         const PadMaskSettings& settings) {
    for (const auto& group : settings.inputs) {
        if (auto added = add_group(signature, group); !added) return added;
    }
    if (settings.inputs.empty()) add_each(signature);
    if (lengths_.empty()) {
        return refuse("farm.batch",
                      "is 'pad_mask', and no input has a -1 beyond the first dimension",
                      "use 'rows'");
    }
    const auto minimum = set_number(settings.minimum, "farm.pad_minimum", &Length::minimum);
    if (!minimum) return minimum;
    const auto multiple = set_number(settings.multiple, "farm.pad_multiple", &Length::multiple);
    if (!multiple) return multiple;
    return set_number(settings.bucket, "farm.pad_bucket", &Length::bucket);
}

Result<void> PadMaskBatching::add_outputs(const Signature& signature,
                                          const PadMaskSettings& settings) {
    for (const auto& [name, input] : settings.outputs) {
        if (find(signature.outputs, name) == nullptr) {
            return refuse("farm.pad_outputs", "names '" + name + "', which is no output",
                          "use names of outputs");
        }
        if (axes_.contains(input)) continue;
        return refuse("farm.pad_outputs",
                      "cuts '" + name + "' to '" + input + "', which is not padded",
                      "use inputs of farm.pad_inputs");
    }
    for (const TensorSpec& output : signature.outputs) {
        cuts_.emplace_back();
        const auto dimensions = free_dimensions(output);
        const auto cut = settings.outputs.find(output.name);
        if (dimensions.empty() && cut == settings.outputs.end()) continue;
        if (cut == settings.outputs.end() || dimensions.size() != 1) {
            return refuse("farm.pad_outputs",
                          "does not say how output '" + output.name + "' with dims " +
                              to_string(output.dims) + " is cut back after padding",
                          "write '" + output.name +
                              ":<input>' when its one -1 beyond the first has that input's length, "
                              "else use another rule");
        }
        const Axes& axes = axes_.at(cut->second);
        const auto length = std::ranges::find_if(axes, [](const auto& axis) { return !!axis; });
        cuts_.back() = Cut{dimensions.front(), **length};
    }
    return {};
}

// ---- calls ------------------------------------------------------------------------------------

Result<PadMaskBatching::Lengths> PadMaskBatching::lengths_of(const TensorList& call) const {
    Lengths lengths(lengths_.size(), 0);
    std::vector<const std::string*> said_by(lengths_.size(), nullptr);
    for (const Tensor& tensor : call) {
        const auto axes = axes_.find(tensor.desc.name);
        if (axes == axes_.end()) continue;
        for (std::size_t i = 0; i < axes->second.size(); ++i) {
            if (!axes->second[i]) continue;
            const std::size_t id = *axes->second[i];
            const std::int64_t own = tensor.desc.shape[i];
            if (said_by[id] != nullptr && lengths[id] != own) {
                return fail(ErrorCode::invalid,
                            "input '" + tensor.desc.name + "' has length " + std::to_string(own) +
                                " in dimension " + std::to_string(i) + " (input '" + *said_by[id] +
                                "' has " + std::to_string(lengths[id]) +
                                ", and the model wants them equal): send equal lengths");
            }
            lengths[id] = own;
            said_by[id] = &tensor.desc.name;
        }
    }
    return lengths;
}

Result<CallMeasure> PadMaskBatching::measure(const TensorList& call) const {
    const auto lengths = lengths_of(call);
    if (!lengths) return tl::unexpected(lengths.error());
    CallMeasure measured{row_count(call), {}};
    for (const Tensor& tensor : call) {
        std::vector<bool> skipped(tensor.desc.shape.size(), false);
        if (!skipped.empty()) skipped[0] = true;
        if (const auto axes = axes_.find(tensor.desc.name); axes != axes_.end()) {
            for (std::size_t i = 0; i < skipped.size(); ++i) {
                if (axes->second[i]) skipped[i] = true;
            }
        }
        add_to_key(tensor.desc, skipped, measured.shape_key);
    }
    for (std::size_t id = 0; id < lengths_.size(); ++id) {
        measured.shape_key += std::to_string(lengths_[id].bucket_of((*lengths)[id])) + ";";
    }
    return measured;
}

bool PadMaskBatching::runs_as_it_is(const TensorList& call) const {
    const auto lengths = lengths_of(call);
    FARM_EXPECT(lengths.has_value());
    for (std::size_t id = 0; id < lengths_.size(); ++id) {
        if (lengths_[id].padded((*lengths)[id]) != (*lengths)[id]) return false;
    }
    return true;
}

PadMaskBatching::Lengths PadMaskBatching::padded_lengths(RunCalls calls) const {
    Lengths padded(lengths_.size(), 0);
    for (const TensorList* call : calls) {
        const auto own = lengths_of(*call);
        FARM_EXPECT(own.has_value());  // measure() passed it
        for (std::size_t id = 0; id < padded.size(); ++id) {
            padded[id] = std::max(padded[id], lengths_[id].padded((*own)[id]));
        }
    }
    return padded;
}

Tensor PadMaskBatching::pad(RunCalls calls, std::size_t index, const Lengths& padded,
                            const Allocate& allocate) const {
    Tensor whole{(*calls.front())[index].desc, {}};
    Shape& shape = whole.desc.shape;
    const auto axes = axes_.find(whole.desc.name);
    if (axes == axes_.end()) return concatenate_rows(calls, index, allocate);
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (axes->second[i]) shape[i] = padded[*axes->second[i]];
    }
    shape[0] = 0;
    for (const TensorList* call : calls) shape[0] += (*call)[index].desc.shape[0];
    const std::size_t element_bytes = whole.desc.type.bytes();
    MutableBuffer block = allocate(static_cast<std::size_t>(element_count(shape)) * element_bytes);
    std::size_t offset = 0;
    for (const TensorList* call : calls) {
        const Tensor& part = (*call)[index];
        Shape to = shape;
        to[0] = part.desc.shape[0];
        copy_padded(part.data.data(), part.desc.shape, block.data() + offset, to, element_bytes);
        offset += static_cast<std::size_t>(element_count(to)) * element_bytes;
    }
    whole.data = std::move(block).freeze();
    return whole;
}

Result<TensorList> PadMaskBatching::combine(RunCalls calls, const Allocate& allocate) const {
    const Lengths padded = padded_lengths(calls);
    TensorList run;
    for (std::size_t i = 0; i < calls.front()->size(); ++i)
        run.push_back(pad(calls, i, padded, allocate));
    return run;
}

Tensor cut_back(const Tensor& whole, std::size_t dimension, std::int64_t length) {
    if (whole.desc.shape[dimension] == length) return whole;
    Tensor part{whole.desc, {}};
    part.desc.shape[dimension] = length;
    const std::size_t element_bytes = whole.desc.type.bytes();
    MutableBuffer block(static_cast<std::size_t>(element_count(part.desc.shape)) * element_bytes);
    copy_corner(whole.data.data(), whole.desc.shape, block.data(), part.desc.shape, element_bytes);
    part.data = std::move(block).freeze();
    return part;
}

Result<std::vector<TensorList>> PadMaskBatching::split(TensorList outputs, RunCalls calls) const {
    const Lengths padded = padded_lengths(calls);
    std::vector<TensorList> parts(calls.size());
    for (std::size_t index = 0; index < outputs.size(); ++index) {
        const Tensor& output = outputs[index];
        const std::optional<Cut> cut = index < cuts_.size() ? cuts_[index] : std::nullopt;
        if (cut && output.desc.shape[cut->dimension] != padded[cut->length]) {
            return fail(ErrorCode::device,
                        "output '" + output.desc.name + "' has shape " +
                            to_string(output.desc.shape) + " (the run was padded to " +
                            std::to_string(padded[cut->length]) + " like input '" +
                            lengths_[cut->length].input +
                            "', which farm.pad_outputs says it follows): correct farm.pad_outputs");
        }
        std::int64_t first = 0;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const std::int64_t rows = row_count(*calls[i]);
            Tensor part = slice_rows(output, first, rows);
            first += rows;
            if (cut) {
                const auto own = lengths_of(*calls[i]);
                part = cut_back(part, cut->dimension, (*own)[cut->length]);
            }
            parts[i].push_back(std::move(part));
        }
    }
    return parts;
}

}  // namespace

Result<std::shared_ptr<const Batching>> batch_padded(const Signature& signature,
                                                     const PadMaskSettings& settings) {
    if (auto fits = check_batch_dimension(signature, BatchRule::pad_mask); !fits) {
        return tl::unexpected(fits.error());
    }
    auto made = std::make_shared<PadMaskBatching>();
    if (auto added = made->add_inputs(signature, settings); !added) {
        return tl::unexpected(added.error());
    }
    if (auto added = made->add_outputs(signature, settings); !added) {
        return tl::unexpected(added.error());
    }
    return made;
}

}  // namespace farm
