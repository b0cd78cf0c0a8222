#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

#include "gpu_worker/core/batching.h"

namespace farm::testing {

/// A model as a plain function: what one run makes of its inputs.
using ModelFunction = std::function<TensorList(const TensorList&)>;

inline std::vector<const TensorList*> pointers_to(const std::vector<TensorList>& calls) {
    std::vector<const TensorList*> pointers;
    for (const TensorList& call : calls) pointers.push_back(&call);
    return pointers;
}

/// Ordinary memory, and where it lies.
class CountedBlocks {
  public:
    MutableBuffer allocate(std::size_t size) {
        MutableBuffer block = heap_block(size);
        begins_.insert(block.data());
        return block;
    }
    bool has(const Tensor& tensor) const { return begins_.contains(tensor.data.data()); }

  private:
    std::set<const std::byte*> begins_;
};

/// What each call gets when all share one run, which is put together in memory that is given.
inline std::vector<TensorList> run_together(const Batching& batching, const ModelFunction& model,
                                            const std::vector<TensorList>& calls) {
    const auto pointers = pointers_to(calls);
    const bool is_lone = calls.size() == 1;
    CountedBlocks blocks;
    auto inputs = is_lone ? lone_run(batching, calls.front())
                          : batching.combine(
                                pointers, [&](std::size_t size) { return blocks.allocate(size); });
    EXPECT_TRUE(inputs) << inputs.error().message;
    if (!inputs) return {};
    for (const Tensor& input : *inputs) EXPECT_TRUE(is_lone || blocks.has(input));
    auto parts = batching.split(model(*inputs), pointers);
    EXPECT_TRUE(parts) << parts.error().message;
    return parts ? *parts : std::vector<TensorList>{};
}

}  // namespace farm::testing
