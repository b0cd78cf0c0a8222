#include <ATen/Parallel.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/profiling_graph_executor_impl.h>
#include <torch/script.h>

#include <new>
#include <optional>
#include <utility>

#include "gpu_worker/backends/process_settings.h"
#include "gpu_worker/backends/run_failure.h"
#include "gpu_worker/backends/torch_arguments.h"
#include "gpu_worker/backends/torch_backend.h"
#include "gpu_worker/backends/torch_cuda_graphs.h"
#include "gpu_worker/backends/torch_writes.h"

namespace farm {

namespace {

/// What the instances of a model share.
struct TorchProgram {
    torch::jit::Module module;
    c10::Device device;
    TorchArguments arguments;
    std::optional<at::ScalarType> precision;
    int thread_count{1};
    bool cuda_graphs{false};
    bool writes_to_inputs{false};
};

/// libtorch counts threads per calling thread (OpenMP), and an executor may serve several models.
void use_threads(int count) {
    thread_local int current = 0;
    if (current == count) return;
    at::set_num_threads(count);
    current = count;
}

class TorchInstance : public BackendInstance {
  public:
    explicit TorchInstance(std::shared_ptr<const TorchProgram> program)
        : program_(std::move(program)),
          forward_(program_->module.get_method("forward")),
          graphs_(program_->cuda_graphs ? make_cuda_graphs(program_->device) : nullptr) {}

    RunResult run(std::span<const Tensor> inputs) override {
        try {
            use_threads(program_->thread_count);
            const c10::InferenceMode guard;
            auto arguments = program_->arguments.arguments(
                inputs, program_->device, program_->precision, program_->writes_to_inputs);
            if (!arguments) return tl::unexpected(std::move(arguments.error()));
            const c10::IValue result = graphs_ ? graphs_->run(forward_, std::move(*arguments))
                                               : forward_(std::move(*arguments));
            return program_->arguments.outputs(result, program_->precision);
        } catch (const c10::Error& error) {
            return tl::unexpected(failure_of(error.what_without_backtrace()));
        } catch (const std::bad_alloc&) {
            return tl::unexpected(
                RunFailure{Outcome::retryable_fault, "there is no memory for the run"});
        } catch (const std::exception& error) {
            return tl::unexpected(failure_of(error.what()));
        } catch (...) {
            return tl::unexpected(
                RunFailure{Outcome::device_fault, "libtorch threw something that is no exception"});
        }
    }

  private:
    std::shared_ptr<const TorchProgram> program_;
    torch::jit::Method forward_;
    std::unique_ptr<CudaGraphs> graphs_;  ///< null: not asked for, or no CUDA device
};

class TorchModel : public LoadedModel {
  public:
    TorchModel(ServiceAd service, std::shared_ptr<const TorchProgram> program)
        : service_(std::move(service)), program_(std::move(program)) {}

    const ServiceAd& service() const override { return service_; }

    Result<std::unique_ptr<BackendInstance>> make_instance() override {
        try {
            return std::make_unique<TorchInstance>(program_);
        } catch (const std::exception& error) {
            return fail(ErrorCode::device, failure_of(error.what()).detail);
        }
    }

  private:
    ServiceAd service_;
    std::shared_ptr<const TorchProgram> program_;
};

/// Weights become constants of the graph. A module that cannot be frozen runs as it is.
torch::jit::Module frozen(const torch::jit::Module& module) {
    try {
        return torch::jit::freeze(module);
    } catch (const std::exception&) {
        return module;
    }
}

c10::Device torch_device(const Device& device) {
    if (device.kind == DeviceKind::cpu) return c10::Device(c10::kCPU);
    return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(device.index));
}

Result<std::optional<at::ScalarType>> precision_of(const ModelSource& source,
                                                   const Device& device) {
    switch (source.precision) {
        case Precision::as_saved: break;
        case Precision::fp64: return at::kDouble;
        case Precision::bf16: return at::kBFloat16;
        case Precision::fp16:
            if (device.kind != DeviceKind::cpu) return at::kHalf;
            return fail(ErrorCode::invalid,
                        "parameter 'farm.precision' is 'fp16' (model '" + source.model +
                            "' is on the cpu, where libtorch computes float16 hardly at all): use "
                            "bf16 or fp32");
    }
    return std::nullopt;
}

/// Weights and other floating tensors of the model; indices stay what they are.
void convert(torch::jit::Module& module, at::ScalarType type) {
    const c10::InferenceMode off(false);
    for (at::Tensor parameter : module.parameters()) {
        if (parameter.is_floating_point()) parameter.set_data(parameter.to(type));
    }
    for (at::Tensor buffer : module.buffers()) {
        if (buffer.is_floating_point()) buffer.set_data(buffer.to(type));
    }
}

Result<std::shared_ptr<LoadedModel>> load(const ModelSource& source, const Device& device) {
    torch::jit::getProfilingMode() = false;
    use_blas_threads(source.intra_op_thread_count);
    const c10::Device place = torch_device(device);
    const auto precision = precision_of(source, device);
    if (!precision) return tl::unexpected(precision.error());
    torch::jit::Module module = torch::jit::load(source.file, place);
    module.eval();
    if (*precision) convert(module, **precision);
    if (!module.find_method("forward")) {
        return fail(ErrorCode::invalid, source.file +
                                            ": has no forward method (it is what a call runs): "
                                            "export one");
    }
    auto arguments =
        TorchArguments::make(source, module.get_method("forward").function().getSchema());
    if (!arguments) {
        return fail(arguments.error().code,
                    "model '" + source.model + "': " + arguments.error().message);
    }
    ServiceAd service = advertise(source);
    service.device = device.kind;
    service.device_name = device.name;
    module = frozen(module);
    const bool writes = writes_to_inputs(module);
    auto program = std::make_shared<TorchProgram>(
        TorchProgram{std::move(module), place, std::move(*arguments), *precision,
                     static_cast<int>(source.intra_op_thread_count), source.cuda_graphs, writes});
    return std::make_shared<TorchModel>(std::move(service), std::move(program));
}

tl::unexpected<Error> not_loaded(const ModelSource& source, const std::string& text) {
    return fail(ErrorCode::invalid, source.file + ": cannot be loaded (" + failure_of(text).detail +
                                        "): save the model with torch.jit.save");
}

}  // namespace

Result<std::shared_ptr<LoadedModel>> load_torch_model(const ModelSource& source,
                                                      const Device& device) {
    try {
        return load(source, device);
    } catch (const c10::Error& error) {
        return not_loaded(source, error.what_without_backtrace());
    } catch (const std::exception& error) {
        return not_loaded(source, error.what());
    }
}

}  // namespace farm
