#include "gpu_worker/backends/torch_writes.h"

#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>
#include <exception>

namespace farm {

bool writes_to_inputs(const torch::jit::Module& module) {
    try {
        const auto graph = module.get_method("forward").graph()->copy();
        torch::jit::Inline(*graph);
        const torch::jit::AliasDb aliases(graph);
        const auto inputs = graph->inputs().slice(1);  // the first is the module itself
        return std::ranges::any_of(
            inputs, [&](const torch::jit::Value* input) { return aliases.hasWriters(input); });
    } catch (const std::exception&) {
        return true;
    }
}

}  // namespace farm
