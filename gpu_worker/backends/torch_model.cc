#include <memory>
#include <utility>

#include "gpu_worker/backends/run_failure.h"
#include "gpu_worker/backends/torch_arguments.h"
#include "gpu_worker/backends/torch_backend.h"
#include "gpu_worker/backends/torch_cuda_graphs.h"
#include "gpu_worker/backends/torch_cuda_memory.h"
#include "gpu_worker/backends/torch_failure.h"
#include "gpu_worker/backends/torch_program.h"
#include "gpu_worker/backends/torch_stream.h"

namespace farm {

namespace {

/// What the instances of a model share.
struct Shared {
    TorchProgram program;
    TorchArguments arguments;
    bool cuda_graphs{false};
};

class TorchInstance : public BackendInstance {
  public:
    explicit TorchInstance(std::shared_ptr<const Shared> shared)
        : shared_(std::move(shared)),
          forward_(shared_->program.module.get_method("forward")),
          stream_(shared_->program.device),
          graphs_(shared_->cuda_graphs ? make_cuda_graphs(shared_->program.device) : nullptr) {}

    RunResult run(std::span<const Tensor> inputs) override {
        const TorchProgram& program = shared_->program;
        try {
            use_threads(program.thread_count);
            const c10::InferenceMode guard;
            const TorchStream::Use use(stream_);
            auto arguments = shared_->arguments.arguments(inputs, program.device, program.precision,
                                                          program.writes_to_inputs);
            if (!arguments) return tl::unexpected(std::move(arguments.error()));
            const c10::IValue result = graphs_ ? graphs_->run(forward_, std::move(*arguments))
                                               : forward_(std::move(*arguments));
            auto outputs = shared_->arguments.outputs(result, program.precision);
            stream_.wait();
            return outputs;
        } catch (...) {
            RunFailure failure = caught_failure();
            if (is_out_of_memory(failure.detail)) free_cached_cuda_memory();
            return tl::unexpected(std::move(failure));
        }
    }

  private:
    std::shared_ptr<const Shared> shared_;
    torch::jit::Method forward_;
    TorchStream stream_;
    std::unique_ptr<CudaGraphs> graphs_;  ///< null: not asked for, or no CUDA device
};

class TorchModel : public LoadedModel {
  public:
    TorchModel(ServiceAd service, std::shared_ptr<const Shared> shared)
        : service_(std::move(service)), shared_(std::move(shared)) {}

    const ServiceAd& service() const override { return service_; }

    Result<std::unique_ptr<BackendInstance>> make_instance() override {
        try {
            return std::make_unique<TorchInstance>(shared_);
        } catch (...) {
            return fail(ErrorCode::device, caught_failure().detail);
        }
    }

  private:
    ServiceAd service_;
    std::shared_ptr<const Shared> shared_;
};

}  // namespace

Result<std::shared_ptr<LoadedModel>> load_torch_model(const ModelSource& source,
                                                      const Device& device) {
    auto program = load_torch_program(source, device);
    if (!program) return tl::unexpected(std::move(program.error()));
    auto arguments = TorchArguments::make(source, program->schema);
    if (!arguments) {
        return fail(arguments.error().code,
                    "model '" + source.model + "': " + arguments.error().message);
    }
    ServiceAd service = advertise(source);
    service.device = device.kind;
    service.device_name = device.name;
    return std::make_shared<TorchModel>(
        std::move(service), std::make_shared<const Shared>(Shared{
                                std::move(*program), std::move(*arguments), source.cuda_graphs}));
}

}  // namespace farm
