#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "cpu_client/lib/client.h"

namespace farm {

inline std::vector<float> numbers(std::size_t count, float first = 1) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

inline Inputs one_input(Buffer values) {
    const auto count = static_cast<std::int64_t>(values.size() / sizeof(float));
    return {{"x", tensor<float>({count}, std::move(values))}};
}

inline Inputs one_input(const std::vector<float>& values) {
    return one_input(Buffer::copy_of(std::as_bytes(std::span(values))));
}

/// Asks until a model is served; asking sets the pace. A busy machine may load one for longer than
/// calls wait for a service that nobody offers.
inline void await_model(Client& client, const std::string& name) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    const auto is_served = [&] {
        const auto models = client.models();
        return models && std::ranges::any_of(*models, [&](const CatalogEntry& entry) {
                   return entry.service.model == name;
               });
    };
    while (!is_served()) {
        ASSERT_LT(std::chrono::steady_clock::now(), until) << name << " is not served";
    }
}

/// Calls that the broker of this client has taken.
inline std::uint64_t routed_count(Client& client) {
    const auto report = client.status();
    return report ? report->broker.accepted_count : 0;
}

/// Makes calls until one does not pass through the broker, or one fails.
template <class MakeCall>
void call_until_direct(Client& client, const MakeCall& make_call) {
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t before = routed_count(client);
        make_call();
        if (::testing::Test::HasFailure() || routed_count(client) == before) return;
    }
    FAIL() << "every call went by the broker";
}

/// The same with a model that takes one input.
inline void call_until_direct(Client& client, const std::string& model, std::size_t count = 4) {
    const std::vector<float> values = numbers(count);
    call_until_direct(client, [&] {
        const Inference result = client.infer(model, one_input(values)).get();
        ASSERT_TRUE(result.ok()) << result.detail;
    });
}

}  // namespace farm
