#include "gpu_worker/repository/model_config.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gpu_worker/repository/batch_config.h"
#include "gpu_worker/repository/config_error.h"
#include "gpu_worker/repository/data_type.h"
#include "gpu_worker/repository/model_config.pb.h"

namespace farm {

namespace {

using inference::ModelConfig;

constexpr std::string_view supported =
    "platform \"pytorch_libtorch\" (backend \"pytorch\"), backend \"tracks\" and backend "
    "\"reference\"";

// ---- which backend ----------------------------------------------------------------------------

Result<std::string> backend_of(const ModelConfig& config) {
    const std::string& platform = config.platform();
    const std::string& backend = config.backend();
    if (!platform.empty() && platform != "pytorch_libtorch") {
        return refuse("platform '" + platform + "' is not supported", "the model cannot be run",
                      "use " + std::string(supported));
    }
    if (backend.empty()) return std::string("pytorch");
    const bool is_ours = backend == "reference" || backend == "tracks";
    const bool known = backend == "pytorch" || (is_ours && platform.empty());
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
    return {};
}

// ---- signature --------------------------------------------------------------------------------

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

// ---- instances --------------------------------------------------------------------------------

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

Result<void> read_precision(const std::string& value, ModelSource& source) {
    if (value == "fp64") {
        source.precision = Precision::fp64;
    } else if (value == "bf16") {
        source.precision = Precision::bf16;
    } else if (value == "fp16") {
        source.precision = Precision::fp16;
    } else if (value != "fp32") {
        return refuse("parameter 'farm.precision' is '" + value + "'",
                      "\"fp64\", \"fp32\", \"bf16\" or \"fp16\"", "correct it");
    }
    if (value == "fp32" || source.backend != "reference") return {};
    return refuse("parameter 'farm.precision' is '" + value + "'",
                  "backend '" + source.backend + "' has no weights", "remove it");
}

Result<void> read_parameter(const std::string& key, const std::string& value, ModelSource& source) {
    if (key == "farm.precision") return read_precision(value, source);
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
    } else if (key.starts_with("farm.") && !key.starts_with("farm.reference.") &&
               !key.starts_with("farm.tracks.") && !is_batch_parameter(key)) {
        return refuse("parameter '" + key + "' is not known",
                      "names that begin with 'farm.' are this server's",
                      "use farm.batch (and farm.pad_*, farm.graph_*, farm.max_batch_rows), "
                      "farm.intra_op_threads, farm.precision, farm.idempotent or "
                      "farm.max_result_bytes");
    }
    return {};
}

Result<void> read_parameters(ModelSource& source) {
    for (const auto& [key, value] : source.parameters) {
        if (auto read = read_parameter(key, value, source); !read) return read;
    }
    return {};
}

/// Bytes of the largest result, when the signature fixes it.
std::uint64_t result_bytes(const ModelSource& source) {
    const BatchRule rule = source.batching->rule();
    const bool has_batch_dimension =
        source.max_batch_rows > 0 && rule != BatchRule::none && rule != BatchRule::graph;
    std::uint64_t total = 0;
    for (const TensorSpec& spec : source.signature.outputs) {
        TensorDesc largest{spec.name, spec.type, spec.dims};
        if (has_batch_dimension) largest.shape.front() = source.max_batch_rows;
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
    for (const auto& [key, value] : config.parameters()) {
        source.parameters.emplace(key, value.string_value());
    }
    using Step = Result<void> (*)(const ModelConfig&, ModelSource&);
    const Step before_parameters[] = {read_batching, read_instances};
    for (const Step step : before_parameters) {
        if (auto done = step(config, source); !done) return tl::unexpected(done.error());
    }
    source.cuda_graphs = config.optimization().cuda().graphs();
    source.max_result_bytes = result_bytes(source);
    if (auto done = read_parameters(source); !done) return tl::unexpected(done.error());
    if (auto done = check_identity(config, source); !done) return tl::unexpected(done.error());
    if (auto done = read_warmup(config, source); !done) return tl::unexpected(done.error());
    return source;
}

}  // namespace farm
