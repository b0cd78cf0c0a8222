#include "gpu_worker/backends/reference_backend.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "gpu_worker/backends/parameter_reader.h"

namespace farm {

namespace {

enum class Kind : std::uint8_t { identity, scale, sum, sleep, fail };
enum class Fault : std::uint8_t { input_error, retryable_fault, device_fault, device_lost, crash };

struct ReferenceSettings {
    Kind kind{Kind::identity};
    bool runs_inline{true};
    float factor{2};
    std::chrono::nanoseconds fixed{0};
    std::chrono::nanoseconds per_row{0};
    bool spins{false};
    std::uint32_t cliff_rows{std::numeric_limits<std::uint32_t>::max()};
    float cliff_factor{1};
    Fault fault{Fault::device_fault};
    std::optional<float> mark;
    std::uint64_t failing_run_count{std::numeric_limits<std::uint64_t>::max()};
};

// ---- settings ---------------------------------------------------------------------------------

void read_nanoseconds(ParameterReader& reader, const std::string& key,
                      std::chrono::nanoseconds& value) {
    constexpr std::int64_t most = 3'600'000'000'000;
    std::int64_t count = value.count();
    reader.number(key, count);
    if (count < 0 || count > most) reader.refuse(key, std::to_string(count), "0 to one hour");
    value = std::chrono::nanoseconds(count);
}

Result<ReferenceSettings> read_settings(const ModelSource& source) {
    ReferenceSettings settings;
    ParameterReader reader(source, "farm.reference.");
    reader.choice<Kind>("kind",
                        {{"identity", Kind::identity},
                         {"scale", Kind::scale},
                         {"sum", Kind::sum},
                         {"sleep", Kind::sleep},
                         {"fail", Kind::fail}},
                        settings.kind);
    settings.runs_inline = settings.kind == Kind::identity;
    reader.choice<bool>("inline", {{"true", true}, {"false", false}}, settings.runs_inline);
    reader.number("factor", settings.factor);
    read_nanoseconds(reader, "fixed_ns", settings.fixed);
    read_nanoseconds(reader, "per_row_ns", settings.per_row);
    reader.number("cliff_rows", settings.cliff_rows);
    reader.number("cliff_factor", settings.cliff_factor);
    if (!(settings.cliff_factor >= 1 && settings.cliff_factor <= 1000)) {
        reader.refuse("cliff_factor", std::to_string(settings.cliff_factor), "1 to 1000");
    }
    reader.choice<bool>("wait", {{"sleep", false}, {"spin", true}}, settings.spins);
    reader.choice<Fault>("outcome",
                         {{"input_error", Fault::input_error},
                          {"retryable_fault", Fault::retryable_fault},
                          {"device_fault", Fault::device_fault},
                          {"device_lost", Fault::device_lost},
                          {"crash", Fault::crash}},
                         settings.fault);
    if (reader.has("mark")) reader.number("mark", settings.mark.emplace());
    reader.number("failing_runs", settings.failing_run_count);
    if (reader.error()) return tl::unexpected(*reader.error());
    return settings;
}

// ---- the kinds --------------------------------------------------------------------------------

RunResult scaled(TensorList tensors, float factor) {
    for (Tensor& tensor : tensors) {
        if (tensor.desc.type != dtype::f32) {
            return tl::unexpected(
                RunFailure{Outcome::input_error, "input '" + tensor.desc.name + "' has type " +
                                                     to_string(tensor.desc.type) +
                                                     " (scale takes float32): send float32"});
        }
        MutableBuffer block(tensor.data.size());
        for (std::size_t at = 0; at < block.size(); at += sizeof(float)) {
            float value = 0;
            std::memcpy(&value, tensor.data.data() + at, sizeof(value));
            value *= factor;
            std::memcpy(block.data() + at, &value, sizeof(value));
        }
        tensor.data = std::move(block).freeze();
    }
    return tensors;
}

std::uint64_t sum_of_words(Bytes bytes) {
    std::uint64_t sum = 0;
    std::size_t at = 0;
    for (; at + sizeof(sum) <= bytes.size(); at += sizeof(sum)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, sizeof(word));
        sum += word;
    }
    std::uint64_t rest = 0;
    if (at < bytes.size()) std::memcpy(&rest, bytes.data() + at, bytes.size() - at);
    return sum + rest;
}

/// One number for each input.
RunResult summed(TensorList tensors) {
    for (Tensor& tensor : tensors) {
        const std::uint64_t sum = sum_of_words(tensor.data.bytes());
        MutableBuffer block(sizeof(sum));
        std::memcpy(block.data(), &sum, sizeof(sum));
        tensor.desc.type = dtype::u64;
        tensor.desc.shape = {1};
        tensor.data = std::move(block).freeze();
    }
    return tensors;
}

void wait(std::chrono::nanoseconds duration, bool spins) {
    if (!spins) {
        std::this_thread::sleep_for(duration);
        return;
    }
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end) {
    }
}

bool has_mark(std::span<const Tensor> inputs, float mark) {
    if (inputs.empty() || inputs.front().desc.type != dtype::f32) return false;
    const Bytes bytes = inputs.front().data.bytes();
    for (std::size_t at = 0; at + sizeof(float) <= bytes.size(); at += sizeof(float)) {
        float value = 0;
        std::memcpy(&value, bytes.data() + at, sizeof(value));
        if (value == mark) return true;
    }
    return false;
}

Outcome outcome_of(Fault fault) {
    switch (fault) {
        case Fault::input_error: return Outcome::input_error;
        case Fault::retryable_fault: return Outcome::retryable_fault;
        case Fault::device_fault:
        case Fault::device_lost: break;
        case Fault::crash: std::abort();
    }
    return Outcome::device_fault;
}

class ReferenceInstance : public BackendInstance {
  public:
    ReferenceInstance(const ReferenceSettings& settings, std::vector<std::string> output_names)
        : settings_(settings), output_names_(std::move(output_names)) {}

    RunResult run(std::span<const Tensor> inputs) override {
        try {
            return run_kind(inputs);
        } catch (const std::bad_alloc&) {
            return tl::unexpected(
                RunFailure{Outcome::retryable_fault, "there is no memory for the outputs"});
        }
    }

    bool runs_inline() const override { return settings_.runs_inline; }

  private:
    RunResult run_kind(std::span<const Tensor> inputs) {
        TensorList outputs(inputs.begin(), inputs.end());
        if (settings_.kind == Kind::fail && fails(inputs)) {
            const std::string prefix = settings_.fault == Fault::device_lost
                                           ? "CUDA error: unspecified launch failure: "
                                           : "";
            return tl::unexpected(RunFailure{outcome_of(settings_.fault),
                                             prefix + "the model was configured to fail"});
        }
        if (settings_.kind == Kind::sleep) {
            wait(time_of(row_count(outputs)), settings_.spins);
        }
        const std::size_t named = std::min(outputs.size(), output_names_.size());
        for (std::size_t i = 0; i < named; ++i) outputs[i].desc.name = output_names_[i];
        if (settings_.kind == Kind::scale) return scaled(std::move(outputs), settings_.factor);
        if (settings_.kind == Kind::sum) return summed(std::move(outputs));
        return outputs;
    }

    std::chrono::nanoseconds time_of(std::uint32_t rows) const {
        const double factor = rows > settings_.cliff_rows ? settings_.cliff_factor : 1;
        const double ns = factor * static_cast<double>((settings_.per_row * rows).count());
        return settings_.fixed + std::chrono::nanoseconds(std::llround(ns));
    }

    bool fails(std::span<const Tensor> inputs) {
        if (settings_.mark && !has_mark(inputs, *settings_.mark)) return false;
        return failed_run_count_++ < settings_.failing_run_count;
    }

    ReferenceSettings settings_;
    std::vector<std::string> output_names_;
    std::uint64_t failed_run_count_{0};
};

class ReferenceModel : public LoadedModel {
  public:
    ReferenceModel(ServiceAd service, const ReferenceSettings& settings)
        : service_(std::move(service)), settings_(settings) {}

    const ServiceAd& service() const override { return service_; }

    Result<std::unique_ptr<BackendInstance>> make_instance() override {
        std::vector<std::string> names;
        for (const TensorSpec& spec : service_.signature.outputs) names.push_back(spec.name);
        return std::make_unique<ReferenceInstance>(settings_, std::move(names));
    }

  private:
    ServiceAd service_;
    ReferenceSettings settings_;
};

}  // namespace

Result<std::shared_ptr<LoadedModel>> load_reference_model(const ModelSource& source) {
    const Result<ReferenceSettings> settings = read_settings(source);
    if (!settings) return tl::unexpected(settings.error());
    const Signature& signature = source.signature;
    const bool counts_fit = signature.inputs.empty() || signature.outputs.empty() ||
                            signature.inputs.size() == signature.outputs.size();
    if (!counts_fit) {
        return fail(ErrorCode::invalid,
                    "model '" + source.model + "' declares " +
                        std::to_string(signature.inputs.size()) + " inputs and " +
                        std::to_string(signature.outputs.size()) +
                        " outputs (the reference backend returns one output per input): declare "
                        "as many, or none");
    }
    ServiceAd service = advertise(source);
    service.device_name = "host";
    return std::make_shared<ReferenceModel>(std::move(service), *settings);
}

}  // namespace farm
