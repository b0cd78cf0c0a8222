#include "gpu_worker/backends/torch_cuda_graphs.h"

#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

#include <algorithm>
#include <cstddef>
#include <list>
#include <optional>

namespace farm {

namespace {

/// Graphs keep their memory, so their number is bounded.
constexpr std::size_t kept_count = 16;
/// Runs without a graph first: libraries choose their algorithms, and rare shapes are not captured.
constexpr int eager_count = 2;

struct Key {
    at::ScalarType type;
    std::vector<std::int64_t> sizes;

    friend bool operator==(const Key&, const Key&) = default;
};

/// Nothing when an argument is more than a tensor or none: it cannot be told from its shape.
std::optional<std::vector<Key>> keys_of(const std::vector<c10::IValue>& arguments) {
    std::vector<Key> keys;
    for (const c10::IValue& argument : arguments) {
        if (argument.isNone()) {
            keys.push_back({at::ScalarType::Undefined, {}});
        } else if (argument.isTensor() && argument.toTensor().is_cuda()) {
            keys.push_back({argument.toTensor().scalar_type(), argument.toTensor().sizes().vec()});
        } else {
            return std::nullopt;
        }
    }
    return keys;
}

struct Captured {
    at::cuda::CUDAGraph graph;
    std::vector<c10::IValue> arguments;
    c10::IValue result;
};

struct Shape {
    std::vector<Key> keys;
    int run_count{0};
    std::unique_ptr<Captured> captured;
    bool cannot{false};
};

/// A stream that nobody else has: those of libtorch's pool are shared, and whatever another
/// instance began on one meanwhile would be captured, too.
class OwnStream {
  public:
    explicit OwnStream(c10::DeviceIndex device) : device_(device) {
        const c10::cuda::CUDAGuard guard(device);
        C10_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    }
    ~OwnStream() { static_cast<void>(cudaStreamDestroy(stream_)); }
    OwnStream(const OwnStream&) = delete;
    OwnStream& operator=(const OwnStream&) = delete;

    at::cuda::CUDAStream get() const { return at::cuda::getStreamFromExternal(stream_, device_); }

  private:
    c10::DeviceIndex device_;
    cudaStream_t stream_{nullptr};
};

class Graphs final : public CudaGraphs {
  public:
    explicit Graphs(const c10::Device& device) : device_(device), capture_stream_(device.index()) {}

    c10::IValue run(torch::jit::Method& forward, std::vector<c10::IValue> arguments) override {
        const auto keys = keys_of(arguments);
        if (!keys) return forward(std::move(arguments));
        Shape& shape = shape_of(*keys);
        if (!shape.captured && !shape.cannot && ++shape.run_count > eager_count) {
            capture(forward, arguments, shape);
        }
        if (!shape.captured) return forward(std::move(arguments));
        Captured& captured = *shape.captured;
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            if (!arguments[i].isTensor()) continue;
            captured.arguments[i].toTensor().copy_(arguments[i].toTensor(), true);
        }
        captured.graph.replay();
        return captured.result;
    }

  private:
    /// Moves it to the front; the one that was not used for longest makes room.
    Shape& shape_of(const std::vector<Key>& keys) {
        const auto found =
            std::ranges::find_if(shapes_, [&](const Shape& shape) { return shape.keys == keys; });
        if (found != shapes_.end()) {
            shapes_.splice(shapes_.begin(), shapes_, found);
        } else {
            shapes_.push_front({keys, 0, nullptr, false});
            if (shapes_.size() > kept_count) drop_last();
        }
        return shapes_.front();
    }

    /// Its replay may still be under way.
    void drop_last() {
        if (shapes_.back().captured) at::cuda::getCurrentCUDAStream(device_.index()).synchronize();
        shapes_.pop_back();
    }

    /// On a stream of its own. Other instances go on allocating meanwhile,
    /// hence the thread-local mode.
    void capture(torch::jit::Method& forward, const std::vector<c10::IValue>& arguments,
                 Shape& shape) {
        auto captured = std::make_unique<Captured>();
        for (const c10::IValue& argument : arguments) {
            captured->arguments.push_back(
                argument.isTensor() ? c10::IValue(argument.toTensor().clone()) : argument);
        }
        at::cuda::getCurrentCUDAStream(device_.index()).synchronize();
        const at::cuda::CUDAStream stream = capture_stream_.get();
        bool is_capturing = false;
        try {
            const c10::cuda::CUDAStreamGuard guard(stream);
            forward(captured->arguments);  // libraries make their workspaces for this stream
            stream.synchronize();
            captured->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
            is_capturing = true;
            captured->result = forward(captured->arguments);
            is_capturing = false;
            captured->graph.capture_end();
            shape.captured = std::move(captured);
        } catch (const std::exception& error) {
            if (is_capturing) abandon(captured->graph, stream);
            shape.cannot = true;
            TORCH_WARN("these input shapes run without a CUDA graph: ", error.what());
        }
    }

    /// The stream must leave capture mode, whatever came of it.
    static void abandon(at::cuda::CUDAGraph& graph, const at::cuda::CUDAStream& stream) {
        try {
            const c10::cuda::CUDAStreamGuard guard(stream);
            graph.capture_end();
        } catch (const std::exception&) {
            // It says again that the capture failed.
        }
        static_cast<void>(cudaGetLastError());
    }

    c10::Device device_;
    OwnStream capture_stream_;
    std::list<Shape> shapes_;  ///< most recently used first
};

}  // namespace

std::unique_ptr<CudaGraphs> make_cuda_graphs(const c10::Device& device) {
    if (!device.is_cuda()) return nullptr;
    return std::make_unique<Graphs>(device);
}

}  // namespace farm
