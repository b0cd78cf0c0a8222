#include "gpu_worker/repository/model_config.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gpu_worker/repository/model_config.pb.h"

namespace farm {

namespace {

using inference::ModelConfig;

constexpr std::string_view supported =
    "platform \"pytorch_libtorch\" (backend \"pytorch\") and backend \"reference\"";

tl::unexpected<Error> refuse(const std::string& problem, const std::string& why,
                             const std::string& advice) {
    return fail(ErrorCode::invalid, problem + " (" + why + "): " + advice);
}

// ---- which backend ----------------------------------------------------------------------------

Result<std::string> backend_of(const ModelConfig& config) {
    const std::string& platform = config.platform();
    const std::string& backend = config.backend();
    if (!platform.empty() && platform != "pytorch_libtorch") {
        return refuse("platform '" + platform + "' is not supported", "the model cannot be run",
                      "use " + std::string(supported));
    }
    if (backend.empty()) return std::string("pytorch");
    const bool known = backend == "pytorch" || (backend == "reference" && platform.empty());
    if (known) return backend;
    return refuse("backend '" + backend + "' is not supported",
                  platform.empty() ? "the model cannot be run" : "with platform '" + platform + "'",
                  "use " + std::string(supported));
}

/// What would be served wrongly if it were ignored.
Result<void> refuse_unsupported(const ModelConfig& config) {
    const std::string why = "this server runs single stateless models";
    if (config.has_ensemble_scheduling()) {
        return refuse("ensemble_scheduling is not supported", why, "serve its models one by one");
    }
    if (config.has_sequence_batching()) {
        return refuse("sequence_batching is not supported", why, "remove it");
    }
    if (config.model_transaction_policy().decoupled()) {
        return refuse("model_transaction_policy decoupled is not supported",
                      "a call has exactly one answer", "remove it");
    }
    if (config.batch_input_size() > 0 || config.batch_output_size() > 0) {
        return refuse("batch_input and batch_output are not supported",
                      "batches are formed on dimension 0", "set max_batch_size to 0");
    }
    return {};
}

// ---- signature --------------------------------------------------------------------------------

Result<DType> dtype_of(const std::string& tensor, inference::DataType type) {
    const std::string name =
        inference::DataType_IsValid(type) ? inference::DataType_Name(type) : std::to_string(type);
    const std::optional<DType> known = parse_dtype(name);
    if (known) return *known;
    return refuse(tensor + " has data_type " + name,
                  type == inference::TYPE_INVALID ? "it is not set" : "it cannot be sent",
                  "use a number type, for example TYPE_FP32");
}

/// What ModelInput and ModelOutput have in common.
template <class ModelTensor>
Result<TensorSpec> spec_of(const ModelTensor& tensor, const std::string& what, bool batches) {
    const std::string name = what + " '" + tensor.name() + "'";
    if (tensor.name().empty() || tensor.name().size() > limits::name_bytes) {
        return refuse(name + " has a name of " + std::to_string(tensor.name().size()) + " bytes",
                      "1 to " + std::to_string(limits::name_bytes) + " are possible", "rename it");
    }
    if (tensor.has_reshape()) {
        return refuse(name + " has a reshape", "this is not supported",
                      "write the dims that the model itself takes");
    }
    const Result<DType> type = dtype_of(name, tensor.data_type());
    if (!type) return tl::unexpected(type.error());
    TensorSpec spec{tensor.name(), *type, {}, false};
    if (batches) spec.dims.push_back(-1);
    for (const std::int64_t dim : tensor.dims()) {
        if (dim < 1 && dim != -1) {
            return refuse(name + " has dimension " + std::to_string(dim),
                          "1 or more, or -1 for any length", "correct dims");
        }
        spec.dims.push_back(dim);
    }
    if (spec.dims.size() <= limits::tensor_rank) return spec;
    return refuse(name + " has " + std::to_string(spec.dims.size()) + " dimensions",
                  "at most " + std::to_string(limits::tensor_rank) + " are possible",
                  "correct dims");
}

Result<void> check_names(const std::vector<TensorSpec>& specs, const std::string& what) {
    if (specs.size() > limits::tensor_count) {
        return refuse("the model has " + std::to_string(specs.size()) + " " + what + "s",
                      "at most " + std::to_string(limits::tensor_count) + " are possible",
                      "combine some of them");
    }
    for (auto spec = specs.begin(); spec != specs.end(); ++spec) {
        const bool again = std::any_of(specs.begin(), spec, [&](const TensorSpec& before) {
            return before.name == spec->name;
        });
        if (!again) continue;
        return refuse(what + " '" + spec->name + "' is declared twice", "calls name their tensors",
                      "rename one of them");
    }
    return {};
}

Result<Signature> signature_of(const ModelConfig& config) {
    Signature signature;
    const bool batches = config.max_batch_size() > 0;
    for (const inference::ModelInput& input : config.input()) {
        if (input.allow_ragged_batch()) {
            return refuse("input '" + input.name() + "' has allow_ragged_batch",
                          "this is not supported", "set it to false");
        }
        Result<TensorSpec> spec = spec_of(input, "input", batches);
        if (!spec) return tl::unexpected(spec.error());
        spec->optional = input.optional();
        signature.inputs.push_back(std::move(*spec));
    }
    for (const inference::ModelOutput& output : config.output()) {
        Result<TensorSpec> spec = spec_of(output, "output", batches);
        if (!spec) return tl::unexpected(spec.error());
        signature.outputs.push_back(std::move(*spec));
    }
    if (auto names = check_names(signature.inputs, "input"); !names) {
        return tl::unexpected(names.error());
    }
    if (auto names = check_names(signature.outputs, "output"); !names) {
        return tl::unexpected(names.error());
    }
    return signature;
}

// ---- batching and instances -------------------------------------------------------------------

Result<void> read_batching(const ModelConfig& config, ModelSource& source) {
    if (config.max_batch_size() < 0) {
        return refuse("max_batch_size is " + std::to_string(config.max_batch_size()),
                      "0 or more: 0 does not batch", "correct it");
    }
    source.max_batch_rows = static_cast<std::uint32_t>(config.max_batch_size());
    source.batch = source.max_batch_rows > 0 ? BatchRule::rows : BatchRule::none;
    const inference::ModelDynamicBatching& batching = config.dynamic_batching();
    for (const std::int32_t rows : batching.preferred_batch_size()) {
        if (rows < 1 || rows > config.max_batch_size()) {
            return refuse("preferred_batch_size " + std::to_string(rows) + " is not possible",
                          "max_batch_size is " + std::to_string(config.max_batch_size()),
                          "use 1 to max_batch_size");
        }
        source.hints.preferred_rows.push_back(static_cast<std::uint32_t>(rows));
    }
    std::ranges::sort(source.hints.preferred_rows);
    const auto longest = std::chrono::microseconds(limits::longest_deadline);
    const std::uint64_t delay = batching.max_queue_delay_microseconds();
    if (delay > static_cast<std::uint64_t>(longest.count())) {
        return refuse("max_queue_delay_microseconds is " + std::to_string(delay),
                      "at most " + std::to_string(longest.count()), "correct it");
    }
    source.hints.max_queue_delay = std::chrono::microseconds(delay);
    return {};
}

Result<InstanceKind> instance_kind(const inference::ModelInstanceGroup& group) {
    switch (group.kind()) {
        case inference::ModelInstanceGroup::KIND_AUTO: return InstanceKind::any;
        case inference::ModelInstanceGroup::KIND_CPU: return InstanceKind::cpu;
        case inference::ModelInstanceGroup::KIND_GPU: return InstanceKind::gpu;
        default: break;
    }
    return refuse("instance_group kind " + inference::ModelInstanceGroup_Kind_Name(group.kind()) +
                      " is not supported",
                  "a worker has one device", "use KIND_AUTO, KIND_CPU or KIND_GPU");
}

Result<void> read_instances(const ModelConfig& config, ModelSource& source) {
    constexpr std::int32_t most = 256;
    if (config.instance_group_size() == 0) return {};
    if (config.instance_group_size() > 1) {
        return refuse(
            "there are " + std::to_string(config.instance_group_size()) + " instance_groups",
            "a worker has one device", "keep one");
    }
    const inference::ModelInstanceGroup& group = config.instance_group(0);
    if (group.count() < 0 || group.count() > most) {
        return refuse("instance_group count is " + std::to_string(group.count()),
                      "1 to " + std::to_string(most) + ", or 0 for 1", "correct it");
    }
    const Result<InstanceKind> kind = instance_kind(group);
    if (!kind) return tl::unexpected(kind.error());
    source.instance_kind = *kind;
    source.instance_count = static_cast<std::uint32_t>(std::max(group.count(), 1));
    return {};
}

// ---- our own parameters -----------------------------------------------------------------------

Result<std::uint64_t> number_of(const std::string& key, const std::string& text,
                                std::uint64_t most) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && stop == end && number >= 1 && number <= most) return number;
    return refuse("parameter '" + key + "' is '" + text + "'",
                  "a whole number from 1 to " + std::to_string(most), "correct it");
}

Result<void> read_batch_parameter(const std::string& value, ModelSource& source) {
    if (value == "none") {
        source.batch = BatchRule::none;
        return {};
    }
    if (value != "rows") {
        return refuse("parameter 'farm.batch' is '" + value + "'", "\"none\" or \"rows\"",
                      "correct it");
    }
    source.batch = BatchRule::rows;
    const auto is_free = [](const TensorSpec& spec) {
        return !spec.dims.empty() && spec.dims.front() == -1;
    };
    if (std::ranges::all_of(source.signature.inputs, is_free) &&
        std::ranges::all_of(source.signature.outputs, is_free)) {
        return {};
    }
    return refuse("parameter 'farm.batch' is 'rows'",
                  "the first dimension of every input and output must then be -1",
                  "correct dims or set max_batch_size");
}

Result<void> read_parameter(const std::string& key, const std::string& value, ModelSource& source) {
    if (key == "farm.batch") return read_batch_parameter(value, source);
    if (key == "farm.intra_op_threads") {
        const auto count = number_of(key, value, 1024);
        if (!count) return tl::unexpected(count.error());
        source.intra_op_thread_count = static_cast<std::uint32_t>(*count);
    } else if (key == "farm.max_result_bytes") {
        const auto size = number_of(key, value, limits::call_bytes);
        if (!size) return tl::unexpected(size.error());
        source.max_result_bytes = *size;
    } else if (key == "farm.idempotent") {
        if (value != "true" && value != "false") {
            return refuse("parameter 'farm.idempotent' is '" + value + "'", "\"true\" or \"false\"",
                          "correct it");
        }
        source.idempotent = value == "true";
    } else if (key.starts_with("farm.") && !key.starts_with("farm.reference.")) {
        return refuse("parameter '" + key + "' is not known",
                      "names that begin with 'farm.' are this server's",
                      "use farm.batch, farm.intra_op_threads, farm.idempotent or "
                      "farm.max_result_bytes");
    }
    return {};
}

Result<void> read_parameters(const ModelConfig& config, ModelSource& source) {
    for (const auto& [key, value] : config.parameters()) {
        source.parameters.emplace(key, value.string_value());
    }
    for (const auto& [key, value] : source.parameters) {
        if (auto read = read_parameter(key, value, source); !read) return read;
    }
    return {};
}

/// Bytes of the largest result, when the signature fixes it.
std::uint64_t result_bytes(const ModelSource& source) {
    std::uint64_t total = 0;
    for (const TensorSpec& spec : source.signature.outputs) {
        TensorDesc largest{spec.name, spec.type, spec.dims};
        const bool batches = source.batch == BatchRule::rows && source.max_batch_rows > 0;
        if (batches) largest.shape.front() = source.max_batch_rows;
        const Result<std::uint64_t> size = checked_size_bytes(largest);
        if (!size) return limits::default_result_bytes;  // a free dimension
        total += *size;
    }
    return total == 0 ? limits::default_result_bytes : std::min(total, limits::call_bytes);
}

// ---- warm-up ----------------------------------------------------------------------------------

Result<WarmupInput> warmup_input(const inference::ModelWarmup& warmup, const TensorSpec& spec,
                                 bool batches, const ModelSource& source) {
    const std::string name = "model_warmup '" + warmup.name() + "'";
    const auto found = warmup.inputs().find(spec.name);
    if (found == warmup.inputs().end()) {
        return refuse(name + " has no input '" + spec.name + "'", "the model takes it", "add it");
    }
    const inference::ModelWarmup::Input& input = found->second;
    const Result<DType> type = dtype_of(name + " input '" + spec.name + "'", input.data_type());
    if (!type) return tl::unexpected(type.error());
    WarmupInput result{{spec.name, *type, {}}, WarmupData::zero, {}};
    if (batches) result.desc.shape.push_back(std::max<std::int64_t>(warmup.batch_size(), 1));
    result.desc.shape.insert(result.desc.shape.end(), input.dims().begin(), input.dims().end());
    if (const auto size = checked_size_bytes(result.desc); !size) {
        return refuse(name + " cannot be made", size.error().message, "correct it");
    }
    if (input.has_random_data()) result.data = WarmupData::random;
    if (input.has_input_data_file()) {
        result.data = WarmupData::file;
        result.file = source.folder + "/warmup/" + input.input_data_file();
    }
    return result;
}

Result<void> read_warmup(const ModelConfig& config, ModelSource& source) {
    constexpr std::uint32_t most = 1000;
    for (const inference::ModelWarmup& warmup : config.model_warmup()) {
        WarmupRun run{warmup.name(), std::clamp(warmup.count(), 1U, most), {}};
        for (const TensorSpec& spec : source.signature.inputs) {
            if (spec.optional && !warmup.inputs().contains(spec.name)) continue;
            auto input = warmup_input(warmup, spec, config.max_batch_size() > 0, source);
            if (!input) return tl::unexpected(input.error());
            run.inputs.push_back(std::move(*input));
        }
        source.warmup.push_back(std::move(run));
    }
    return {};
}

Result<void> check_identity(const ModelConfig& config, const ModelSource& source) {
    if (!config.name().empty() && config.name() != source.model) {
        return refuse("name is '" + config.name() + "'",
                      "the folder of the model is '" + source.model + "'",
                      "use the same name or leave it out");
    }
    const bool unchecked = source.signature.inputs.empty() || source.signature.outputs.empty();
    if (!unchecked || source.backend == "reference") return {};
    return refuse("the signature is incomplete",
                  std::to_string(source.signature.inputs.size()) + " inputs and " +
                      std::to_string(source.signature.outputs.size()) + " outputs are declared",
                  "write an input and an output section for each tensor");
}

}  // namespace

Result<ModelSource> describe_model(const ModelConfig& config, const std::filesystem::path& folder) {
    ModelSource source;
    source.model = folder.filename().string();
    source.folder = folder.string();
    source.has_config = true;
    auto backend = backend_of(config);
    if (!backend) return tl::unexpected(backend.error());
    source.backend = std::move(*backend);
    if (auto known = refuse_unsupported(config); !known) return tl::unexpected(known.error());
    auto signature = signature_of(config);
    if (!signature) return tl::unexpected(signature.error());
    source.signature = std::move(*signature);
    using Step = Result<void> (*)(const ModelConfig&, ModelSource&);
    const Step before_parameters[] = {read_batching, read_instances};
    for (const Step step : before_parameters) {
        if (auto done = step(config, source); !done) return tl::unexpected(done.error());
    }
    source.max_result_bytes = result_bytes(source);
    if (auto done = read_parameters(config, source); !done) return tl::unexpected(done.error());
    if (auto done = check_identity(config, source); !done) return tl::unexpected(done.error());
    if (auto done = read_warmup(config, source); !done) return tl::unexpected(done.error());
    return source;
}

}  // namespace farm
