#include <ATen/record_function.h>
#include <torch/script.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/events/network_flop.h"
#include "gpu_worker/backends/torch_failure.h"
#include "gpu_worker/backends/torch_program.h"
#include "gpu_worker/backends/tracks_settings.h"

namespace farm::bench {
namespace {

std::atomic<std::int64_t> flop_so_far{0};

/// Of a and b in a * b, or in c + a * b.
std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& call) {
    const std::string_view name = call.name();
    const std::size_t first = name == "aten::addmm" ? 1 : 0;
    if (name != "aten::addmm" && name != "aten::mm") return nullptr;
    const auto inputs = call.inputs();
    const at::Tensor& a = inputs[first].toTensor();
    const at::Tensor& b = inputs[first + 1].toTensor();
    flop_so_far += 2 * a.size(0) * a.size(1) * b.size(1);
    return nullptr;
}

class Counting {
  public:
    Counting()
        : handle_(at::addGlobalCallback(at::RecordFunctionCallback(count).needsInputs(true).scopes(
              {at::RecordScope::FUNCTION}))) {
        flop_so_far = 0;
    }
    ~Counting() { at::removeCallback(handle_); }
    Counting(const Counting&) = delete;
    Counting& operator=(const Counting&) = delete;

    double flop() const { return static_cast<double>(flop_so_far.load()); }

  private:
    at::CallbackHandle handle_;
};

at::Tensor points_of(std::int64_t count) { return at::rand({count, 3}); }
at::Tensor edges_of(std::int64_t points, std::int64_t count) {
    return at::randint(points, {2, count}, at::kLong);
}

double flop_of(TorchProgram& program, std::vector<c10::IValue> inputs) {
    const Counting counting;
    program.module.forward(std::move(inputs));
    return counting.flop();
}

double flop_of_edges(TorchProgram& program, EdgeNetworkInput input, std::int64_t points,
                     std::int64_t edges) {
    if (input == EdgeNetworkInput::pairs) return flop_of(program, {at::rand({edges, 6})});
    return flop_of(program, {points_of(points), edges_of(points, edges)});
}

NetworkFlop count_all(TorchProgram* embedding, TorchProgram* filter, TorchProgram& classifier,
                      const TracksSettings& settings) {
    const EdgeNetworkInput filter_input = settings.filter_input;
    constexpr std::int64_t few = 64;
    constexpr std::int64_t many = 128;
    constexpr auto more = static_cast<double>(many - few);
    const c10::InferenceMode inference;
    NetworkFlop flop;
    if (embedding != nullptr) flop.embedding_of_point = flop_of(*embedding, {points_of(few)}) / few;
    if (filter != nullptr) {
        flop.filter_of_edge = (flop_of_edges(*filter, filter_input, few, many) -
                               flop_of_edges(*filter, filter_input, few, few)) /
                              more;
    }
    const auto graph = EdgeNetworkInput::graph;
    const double least = flop_of_edges(classifier, graph, few, few);
    flop.classifier_of_edge = (flop_of_edges(classifier, graph, few, many) - least) / more;
    flop.classifier_of_point = (flop_of_edges(classifier, graph, many, few) - least) / more;
    return flop;
}

}  // namespace

Result<std::optional<NetworkFlop>> count_flop(const ModelSource& source) {
    const auto settings = read_tracks_settings(source);
    if (!settings) return tl::unexpected(settings.error());
    std::optional<TorchProgram> embedding;
    std::optional<TorchProgram> filter;
    std::optional<TorchProgram> classifier;
    for (const auto& [file, program] : {std::pair{settings->embedding_file, &embedding},
                                        std::pair{settings->filter_file, &filter},
                                        std::pair{settings->classifier_file, &classifier}}) {
        if (file.empty()) continue;
        auto loaded = load_torch_program(network_source(source, file), *resolve_device("cpu"));
        if (!loaded) return tl::unexpected(error_of_file(file, loaded.error()));
        *program = std::move(*loaded);
    }
    try {
        NetworkFlop flop = count_all(embedding ? &*embedding : nullptr, filter ? &*filter : nullptr,
                                     *classifier, *settings);
        if (settings->finder.filter.undirected) flop.filter_of_edge *= 2;
        if (settings->finder.classifier.undirected) flop.classifier_of_edge *= 2;
        return flop;
    } catch (...) {
        return fail(ErrorCode::internal, "the networks do not run: " + caught_failure().detail);
    }
}

}  // namespace farm::bench
