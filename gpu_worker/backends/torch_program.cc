#include "gpu_worker/backends/torch_program.h"

#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/profiling_graph_executor_impl.h>

#include <string>
#include <utility>

#include "gpu_worker/backends/process_settings.h"
#include "gpu_worker/backends/torch_failure.h"
#include "gpu_worker/backends/torch_writes.h"

namespace farm {

namespace {

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

/// Weights come by the current stream, and instances run on others.
void finish_loading(const c10::Device& device) {
    const c10::impl::VirtualGuardImpl place(device.type());
    place.synchronizeStream(place.getStream(device));
}

Result<TorchProgram> load(const ModelSource& source, const Device& device) {
    torch::jit::getProfilingMode() = false;
    use_blas_threads(source.intra_op_thread_count);
    const c10::Device place = torch_device(device);
    const auto precision = precision_of(source, device);
    if (!precision) return tl::unexpected(precision.error());
    torch::jit::Module module = torch::jit::load(source.file, place);
    module.eval();
    if (*precision) convert(module, **precision);
    const auto forward = module.find_method("forward");
    if (!forward) {
        return fail(ErrorCode::invalid, source.file +
                                            ": has no forward method (it is what a call runs): "
                                            "export one");
    }
    const c10::FunctionSchema schema = forward->function().getSchema();
    module = frozen(module);
    const bool writes = writes_to_inputs(module);
    finish_loading(place);
    return TorchProgram{std::move(module),
                        schema,
                        place,
                        *precision,
                        static_cast<int>(source.intra_op_thread_count),
                        writes};
}

}  // namespace

Result<TorchProgram> load_torch_program(const ModelSource& source, const Device& device) {
    try {
        return load(source, device);
    } catch (...) {
        return fail(ErrorCode::invalid, source.file + ": cannot be loaded (" +
                                            caught_failure().detail +
                                            "): save the model with torch.jit.save");
    }
}

/// Executors may serve several models.
void use_threads(int count) {
    thread_local int current = 0;
    if (current == count) return;
    at::set_num_threads(count);
    current = count;
}

}  // namespace farm
