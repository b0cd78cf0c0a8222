#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gpu_worker/core/batching.h"
#include "schemas/service.h"

namespace farm {

/// Where one input of a warm-up run comes from.
enum class WarmupData : std::uint8_t { zero, random, file };

struct WarmupInput {
    TensorDesc desc;  ///< with the batch dimension
    WarmupData data{WarmupData::zero};
    std::string file;  ///< raw little-endian bytes; only with WarmupData::file
};

/// Triton's model_warmup: run `run_count` times before the model takes calls.
struct WarmupRun {
    std::string name;
    std::uint32_t run_count{1};
    std::vector<WarmupInput> inputs;  ///< in the order of the signature
};

/// On which device an instance wants to be (Triton's instance_group kind).
enum class InstanceKind : std::uint8_t { any, cpu, gpu };

/// In which numbers a model computes.
enum class Precision : std::uint8_t {
    as_saved,  ///< those of its file
    fp64,      ///< float64: weights, and floating inputs on their way in
    bf16,      ///< bfloat16
    fp16,      ///< float16, on a GPU only
};

/// One version of one model as its repository describes it, ready to be loaded by a backend.
/// A plain value: nothing of protobuf, nothing read lazily.
struct ModelSource {
    std::string model;
    std::uint32_t version{1};
    bool latest{true};       ///< the highest version of this model that is to be served
    std::string backend;     ///< "pytorch", "tracks" or "reference"
    std::string folder;      ///< <repository>/<model>
    std::string file;        ///< the version's model file, of "pytorch"
    bool has_config{false};  ///< false: the signature must come from the model file
    Signature signature;     ///< with the leading -1 where max_batch_size > 0
    std::shared_ptr<const Batching> batching = one_call_per_run();
    std::uint32_t max_batch_rows{0};
    BatchHints hints;
    std::uint32_t instance_count{1};
    InstanceKind instance_kind{InstanceKind::any};
    std::uint32_t intra_op_thread_count{1};
    Precision precision{Precision::as_saved};
    bool cuda_graphs{false};  ///< Triton's optimization.cuda.graphs: for shapes that come back
    bool idempotent{true};
    std::uint64_t max_result_bytes{limits::default_result_bytes};
    ContentHash hash;
    std::vector<WarmupRun> warmup;
    std::map<std::string, std::string> parameters;  ///< all of config.pbtxt's, ours included
};

/// A model (version 0: all of its versions) that cannot be served, and why.
struct LoadFailure {
    std::string model;
    std::uint32_t version{0};
    std::string reason;
};

using RepositoryEntry = std::variant<ModelSource, LoadFailure>;

/// The advertisement of a model that is about to be loaded: everything that the repository knows.
/// The backend adds device and, without a config.pbtxt, the signature.
ServiceAd advertise(const ModelSource& source);

/// The advertisement of a failure: takes no calls, and STATUS shows the reason.
ServiceAd advertise(const LoadFailure& failure);

/// What to run when a model has no model_warmup: zeros, with every free dimension `free_length`.
/// Also a cheap self-test. No inputs when the signature has none.
WarmupRun default_warmup(const Signature& signature, std::int64_t free_length = 1);

}  // namespace farm
