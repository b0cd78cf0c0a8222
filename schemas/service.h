#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/ids.h"
#include "schemas/limits.h"
#include "schemas/tensor.h"

namespace farm {

/// SHA-256 of a model's files in name order.
struct ContentHash {
    std::array<std::uint8_t, 32> bytes{};
    friend bool operator==(const ContentHash&, const ContentHash&) = default;
};

/// How inputs of several calls become the input of one run.
enum class BatchRule : std::uint8_t {
    none,      ///< one call, one run
    rows,      ///< concatenate on dimension 0, split the outputs
    pad_mask,  ///< pad to the longest with mask 0
    graph,     ///< disjoint union of node and edge lists
    ragged,    ///< 1-D concatenation with index tensors
};
std::string_view to_string(BatchRule rule);

enum class DeviceKind : std::uint8_t { cpu, cuda };
std::string_view to_string(DeviceKind kind);

/// One tensor of a signature; a dimension of -1 may have any length. With BatchRule::rows the
/// leading batch dimension is part of `dims` as -1.
struct TensorSpec {
    std::string name;
    DType type{dtype::f32};
    Shape dims;
    bool optional{false};

    friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

struct Signature {
    std::vector<TensorSpec> inputs;
    std::vector<TensorSpec> outputs;

    friend bool operator==(const Signature&, const Signature&) = default;
};

/// No run and no backlog is told to be longer: a day, so that sums of such times never overflow.
inline constexpr std::uint64_t longest_device_ns = 86'400'000'000'000;

/// Measured time of one run with `rows` rows, without queueing. Points of a curve ascend in rows.
struct CostPoint {
    std::uint32_t rows{1};
    std::uint64_t nanoseconds{0};

    friend bool operator==(const CostPoint&, const CostPoint&) = default;
};

struct Label {
    std::string key;
    std::string value;

    friend bool operator==(const Label&, const Label&) = default;
};

/// What a worker offers, or failed to load and says why.
struct ServiceAd {
    ServiceIndex index;  ///< the worker's own number for it, from 1; used in CREDIT and WITHDRAW
    std::string model;
    std::uint32_t version{1};
    bool latest{true};  ///< the highest version of this model on this worker
    ContentHash hash;
    Signature signature;
    BatchRule batch{BatchRule::none};
    std::uint32_t max_batch_rows{0};  ///< 0: no limit known
    std::uint32_t instance_count{1};
    DeviceKind device{DeviceKind::cpu};
    std::string device_name;
    std::string backend;  ///< "pytorch", "reference"
    std::vector<Label> labels;
    std::vector<CostPoint> cost;
    std::uint64_t max_call_bytes{limits::call_bytes};  ///< inputs + result of one call
    std::uint64_t max_result_bytes{limits::default_result_bytes};
    bool idempotent{true};
    std::string direct_url;  ///< empty: no direct path
    std::string failure;     ///< not empty: did not load, and why; takes no calls

    friend bool operator==(const ServiceAd&, const ServiceAd&) = default;
};

/// "gnn/3": one version of one model.
std::string service_name(std::string_view model, std::uint32_t version);

/// Model names and versioned names in calls: letters, digits, '_', '-', '.' (not first), at most
/// one
/// '/' followed by a decimal version of 1 or more without leading zeros; limits::name_bytes at
/// most.
bool is_service_name(std::string_view name);

/// Upper bound of what this advertisement takes in a header frame: for cutting lists into pages.
std::size_t wire_bytes_bound(const ServiceAd& ad);

/// Expected time of a run with `rows` rows: linear between points, proportional beyond the last,
/// `fallback` when the curve is empty.
std::uint64_t cost_at(const std::vector<CostPoint>& curve, std::uint32_t rows,
                      std::uint64_t fallback_ns);

}  // namespace farm
