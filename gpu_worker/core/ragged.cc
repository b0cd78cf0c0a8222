#include "gpu_worker/core/ragged.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/core/expect.h"

namespace farm {

namespace {

class RaggedBatching : public Batching {
  public:
    RaggedBatching(const Signature& signature, RaggedSettings settings)
        : outputs_(signature.outputs), settings_(std::move(settings)) {}

    BatchRule rule() const override { return BatchRule::ragged; }

    Result<CallMeasure> measure(const TensorList& call) const override;
    bool runs_as_it_is(const TensorList&) const override { return false; }
    Result<TensorList> combine(RunCalls calls, const Allocate& allocate) const override;
    Result<std::vector<TensorList>> split(TensorList outputs, RunCalls calls) const override;
    std::vector<TensorSpec> generated_inputs() const override;

  private:
    bool is_ragged(const std::string& input) const;
    const RaggedSettings::Scatter* scatter_of(const std::string& output) const;
    Result<void> check_rows(const Tensor& output, const TensorSpec& spec, std::int64_t rows) const;

    std::vector<TensorSpec> outputs_;
    RaggedSettings settings_;
};

/// Of the source input of each call, in the order of the run.
std::vector<const TensorDesc*> sources_of(RunCalls calls, const std::string& input) {
    std::vector<const TensorDesc*> sources;
    for (const TensorList* call : calls) {
        const auto found = std::ranges::find_if(
            *call, [&](const Tensor& tensor) { return tensor.desc.name == input; });
        FARM_EXPECT(found != call->end());  // the rule refuses optional sources
        sources.push_back(&found->desc);
    }
    return sources;
}

// ---- index tensors ----------------------------------------------------------------------------

struct Numbers {
    Shape shape;
    std::vector<std::int64_t> values;
};

Numbers counts_of(const std::vector<const TensorDesc*>& sources, IndexKind kind) {
    Numbers numbers;
    if (kind == IndexKind::accumulated_element_count_with_zero) numbers.values.push_back(0);
    std::int64_t total = 0;
    for (const TensorDesc* source : sources) {
        const std::int64_t count = element_count(source->shape);
        total += count;
        numbers.values.push_back(kind == IndexKind::element_count ? count : total);
    }
    numbers.shape = {static_cast<std::int64_t>(numbers.values.size())};
    return numbers;
}

Numbers item_shapes_of(const std::vector<const TensorDesc*>& sources, IndexKind kind) {
    Numbers numbers;
    std::int64_t rows = 0;
    for (const TensorDesc* source : sources) {
        const Shape& shape = source->shape;
        rows += shape[0];
        for (std::int64_t row = 0; row < shape[0]; ++row) {
            numbers.values.insert(numbers.values.end(), shape.begin() + 1, shape.end());
        }
    }
    const auto rank = static_cast<std::int64_t>(sources.front()->shape.size()) - 1;
    if (kind == IndexKind::item_shape) {
        numbers.shape = {rows, rank};
    } else {
        numbers.shape = {rows * rank};
    }
    return numbers;
}

Numbers numbers_of(const std::vector<const TensorDesc*>& sources, IndexKind kind) {
    switch (kind) {
        case IndexKind::element_count:
        case IndexKind::accumulated_element_count:
        case IndexKind::accumulated_element_count_with_zero: return counts_of(sources, kind);
        case IndexKind::item_shape:
        case IndexKind::item_shape_flatten: return item_shapes_of(sources, kind);
        case IndexKind::max_element_count_as_shape: break;
    }
    FARM_EXPECT(false);
    return {};
}

/// Its length is what it says.
Tensor zeros_of_longest(const IndexTensor& index, const std::vector<const TensorDesc*>& sources,
                        const Allocate& allocate) {
    const Numbers counts = counts_of(sources, IndexKind::element_count);
    const std::int64_t longest = *std::ranges::max_element(counts.values);
    MutableBuffer block = allocate(static_cast<std::size_t>(longest) * index.target.type.bytes());
    if (block.size() > 0) std::memset(block.data(), 0, block.size());
    return {{index.target.name, index.target.type, {longest}}, std::move(block).freeze()};
}

/// Largest number up to which every whole number has a value of this type.
std::int64_t largest_exact(DType type) {
    if (type == dtype::f32) return 1 << 24;
    return type == dtype::i32 ? INT32_MAX : INT64_MAX;
}

template <class Number>
Buffer bytes_of(const std::vector<std::int64_t>& values, const Allocate& allocate) {
    MutableBuffer block = allocate(values.size() * sizeof(Number));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = static_cast<Number>(values[i]);
        std::memcpy(block.data() + i * sizeof(Number), &value, sizeof(value));
    }
    return std::move(block).freeze();
}

Result<Tensor> make_index(const IndexTensor& index, RunCalls calls, const Allocate& allocate) {
    const auto sources = sources_of(calls, index.source);
    if (index.kind == IndexKind::max_element_count_as_shape)
        return zeros_of_longest(index, sources, allocate);
    Numbers numbers = numbers_of(sources, index.kind);
    const TensorSpec& target = index.target;
    for (const std::int64_t value : numbers.values) {
        if (value <= largest_exact(target.type)) continue;
        return fail(ErrorCode::too_large,
                    "input '" + index.source + "' has " + std::to_string(value) +
                        " elements in one run (batch_input '" + target.name + "' of type " +
                        to_string(target.type) + " counts to " +
                        std::to_string(largest_exact(target.type)) + "): send smaller calls");
    }
    Tensor tensor{{target.name, target.type, std::move(numbers.shape)}, {}};
    if (target.type == dtype::f32) tensor.data = bytes_of<float>(numbers.values, allocate);
    if (target.type == dtype::i32) tensor.data = bytes_of<std::int32_t>(numbers.values, allocate);
    if (target.type == dtype::i64) tensor.data = bytes_of<std::int64_t>(numbers.values, allocate);
    return tensor;
}

// ---- calls ------------------------------------------------------------------------------------

bool RaggedBatching::is_ragged(const std::string& input) const {
    return std::ranges::find(settings_.inputs, input) != settings_.inputs.end();
}

Result<CallMeasure> RaggedBatching::measure(const TensorList& call) const {
    CallMeasure measured{row_count(call), {}};
    for (const Tensor& tensor : call) {
        const std::size_t rank = is_ragged(tensor.desc.name) ? tensor.desc.shape.size() : 1;
        add_to_key(tensor.desc, std::vector<bool>(rank, true), measured.shape_key);
    }
    return measured;
}

/// The elements of all calls as one dimension; the bytes of a lone call are passed on.
Tensor flatten(RunCalls calls, std::size_t index, const Allocate& allocate) {
    Tensor whole = (*calls.front())[index];
    if (calls.size() > 1) whole = concatenate_rows(calls, index, allocate);
    whole.desc.shape = {static_cast<std::int64_t>(whole.data.size() / whole.desc.type.bytes())};
    return whole;
}

Result<TensorList> RaggedBatching::combine(RunCalls calls, const Allocate& allocate) const {
    TensorList run;
    for (std::size_t i = 0; i < calls.front()->size(); ++i) {
        const Tensor& first = (*calls.front())[i];
        if (is_ragged(first.desc.name)) {
            run.push_back(flatten(calls, i, allocate));
        } else {
            run.push_back(calls.size() == 1 ? first : concatenate_rows(calls, i, allocate));
        }
    }
    for (const IndexTensor& index : settings_.index_tensors) {
        auto tensor = make_index(index, calls, allocate);
        if (!tensor) return tl::unexpected(tensor.error());
        run.push_back(std::move(*tensor));
    }
    return run;
}

std::vector<TensorSpec> RaggedBatching::generated_inputs() const {
    std::vector<TensorSpec> specs;
    for (const IndexTensor& index : settings_.index_tensors) specs.push_back(index.target);
    return specs;
}

// ---- outputs ----------------------------------------------------------------------------------

const RaggedSettings::Scatter* RaggedBatching::scatter_of(const std::string& output) const {
    const auto found =
        std::ranges::find(settings_.scattered, output, &RaggedSettings::Scatter::output);
    return found == settings_.scattered.end() ? nullptr : &*found;
}

Result<void> RaggedBatching::check_rows(const Tensor& output, const TensorSpec& spec,
                                        std::int64_t rows) const {
    const Shape& shape = output.desc.shape;
    bool fits = shape.size() == spec.dims.size() && !shape.empty() && shape[0] == rows;
    for (std::size_t i = 1; fits && i < shape.size(); ++i) {
        fits = spec.dims[i] < 0 || spec.dims[i] == shape[i];
    }
    if (fits) return {};
    return fail(ErrorCode::device, "output '" + output.desc.name + "' has shape " +
                                       to_string(shape) + " (the run has " + std::to_string(rows) +
                                       " rows, and config.pbtxt declares " + to_string(spec.dims) +
                                       "): correct dims or add a batch_output");
}

/// One part for each source, with its shape and as many elements.
Result<std::vector<Tensor>> scatter(const Tensor& output,
                                    const std::vector<const TensorDesc*>& sources) {
    std::int64_t total = 0;
    for (const TensorDesc* source : sources) total += element_count(source->shape);
    if (element_count(output.desc.shape) != total) {
        return fail(ErrorCode::device,
                    "output '" + output.desc.name + "' has " +
                        std::to_string(element_count(output.desc.shape)) +
                        " elements (batch_output gives it the shapes of input '" +
                        sources.front()->name + "', which has " + std::to_string(total) +
                        "): correct batch_output");
    }
    std::vector<Tensor> parts;
    std::size_t offset = 0;
    for (const TensorDesc* source : sources) {
        const std::size_t size =
            static_cast<std::size_t>(element_count(source->shape)) * output.desc.type.bytes();
        parts.push_back(
            {{output.desc.name, output.desc.type, source->shape}, output.data.slice(offset, size)});
        offset += size;
    }
    return parts;
}

Result<std::vector<TensorList>> RaggedBatching::split(TensorList outputs, RunCalls calls) const {
    std::int64_t rows = 0;
    for (const TensorList* call : calls) rows += row_count(*call);
    std::vector<TensorList> parts(calls.size());
    for (std::size_t index = 0; index < outputs.size(); ++index) {
        const Tensor& output = outputs[index];
        if (const auto* scattered = scatter_of(output.desc.name)) {
            auto shares = scatter(output, sources_of(calls, scattered->source));
            if (!shares) return tl::unexpected(shares.error());
            for (std::size_t i = 0; i < calls.size(); ++i) parts[i].push_back((*shares)[i]);
            continue;
        }
        if (auto fits = check_rows(output, outputs_.at(index), rows); !fits) {
            return tl::unexpected(fits.error());
        }
        std::int64_t first = 0;
        for (std::size_t i = 0; i < calls.size(); ++i) {
            parts[i].push_back(slice_rows(output, first, row_count(*calls[i])));
            first += row_count(*calls[i]);
        }
    }
    return parts;
}

// ---- what the settings say --------------------------------------------------------------------

Result<void> check_source(const Signature& signature, const std::string& field,
                          const std::string& target, const std::string& source) {
    const auto input = std::ranges::find(signature.inputs, source, &TensorSpec::name);
    if (input != signature.inputs.end() && !input->optional) return {};
    const bool optional = input != signature.inputs.end();
    return fail(ErrorCode::invalid, field + " '" + target + "' has source_input '" + source +
                                        "' (which is " + (optional ? "optional" : "no input") +
                                        "): name an input of every call");
}

Result<void> check_index(const Signature& signature, const IndexTensor& index) {
    const TensorSpec& target = index.target;
    const auto same = std::ranges::find(signature.inputs, target.name, &TensorSpec::name);
    if (target.name.empty() || same != signature.inputs.end()) {
        return fail(ErrorCode::invalid,
                    "batch_input has target_name '" + target.name + "' (" +
                        (target.name.empty() ? "it is empty" : "it is an input") +
                        "): give it a name of its own");
    }
    const bool counts =
        target.type == dtype::i32 || target.type == dtype::i64 || target.type == dtype::f32;
    if (counts) return check_source(signature, "batch_input", target.name, index.source);
    return fail(ErrorCode::invalid, "batch_input '" + target.name + "' has data_type " +
                                        to_string(target.type) +
                                        " (it holds counts): use TYPE_INT32, TYPE_INT64 or "
                                        "TYPE_FP32");
}

Result<void> check_settings(const Signature& signature, const RaggedSettings& settings) {
    for (const IndexTensor& index : settings.index_tensors) {
        if (auto fits = check_index(signature, index); !fits) return fits;
        const auto same_target = [&](const IndexTensor& other) {
            return other.target.name == index.target.name;
        };
        if (std::ranges::count_if(settings.index_tensors, same_target) > 1) {
            return fail(ErrorCode::invalid, "batch_input makes '" + index.target.name +
                                                "' twice (each input has one tensor): rename one");
        }
    }
    for (const RaggedSettings::Scatter& each : settings.scattered) {
        const auto output = std::ranges::find(signature.outputs, each.output, &TensorSpec::name);
        if (output == signature.outputs.end()) {
            return fail(ErrorCode::invalid, "batch_output has target_name '" + each.output +
                                                "' (which is no output): name an output");
        }
        auto fits = check_source(signature, "batch_output", each.output, each.source);
        if (!fits) return fits;
    }
    return {};
}

}  // namespace

Result<std::shared_ptr<const Batching>> batch_ragged(const Signature& signature,
                                                     const RaggedSettings& settings) {
    if (auto fits = check_batch_dimension(signature, BatchRule::ragged); !fits) {
        return tl::unexpected(fits.error());
    }
    if (auto fits = check_settings(signature, settings); !fits) {
        return tl::unexpected(fits.error());
    }
    RaggedSettings made = settings;
    for (IndexTensor& index : made.index_tensors) {
        index.target.dims = index.kind == IndexKind::item_shape ? Shape{-1, -1} : Shape{-1};
    }
    return std::make_shared<const RaggedBatching>(signature, std::move(made));
}

}  // namespace farm
