#pragma once

#include <gtest/gtest.h>

#include <functional>
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

/// What each call gets when all share one run.
inline std::vector<TensorList> run_together(const Batching& batching, const ModelFunction& model,
                                            const std::vector<TensorList>& calls) {
    const auto pointers = pointers_to(calls);
    auto inputs =
        calls.size() == 1 ? lone_run(batching, calls.front()) : batching.combine(pointers);
    EXPECT_TRUE(inputs) << inputs.error().message;
    if (!inputs) return {};
    auto parts = batching.split(model(*inputs), pointers);
    EXPECT_TRUE(parts) << parts.error().message;
    return parts ? *parts : std::vector<TensorList>{};
}

}  // namespace farm::testing
