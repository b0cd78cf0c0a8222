#include "gpu_worker/core/model_source.h"

#include <algorithm>
#include <utility>

namespace farm {

ServiceAd advertise(const ModelSource& source) {
    ServiceAd ad;
    ad.model = source.model;
    ad.version = source.version;
    ad.latest = source.latest;
    ad.hash = source.hash;
    ad.signature = source.signature;
    ad.batch = source.batching->rule();
    ad.max_batch_rows = source.max_batch_rows;
    ad.instance_count = source.instance_count;
    ad.backend = source.backend;
    ad.max_result_bytes = source.max_result_bytes;
    ad.idempotent = source.idempotent;
    return ad;
}

ServiceAd advertise(const LoadFailure& failure) {
    ServiceAd ad;
    ad.model = failure.model;
    ad.version = std::max(failure.version, 1U);
    ad.failure = failure.reason.substr(0, limits::detail_bytes);
    return ad;
}

WarmupRun default_warmup(const Signature& signature, std::int64_t free_length) {
    WarmupRun run{"zeros", 1, {}};
    for (const TensorSpec& spec : signature.inputs) {
        WarmupInput input{{spec.name, spec.type, spec.dims}, WarmupData::zero, {}};
        for (std::int64_t& dim : input.desc.shape) dim = dim < 0 ? free_length : dim;
        run.inputs.push_back(std::move(input));
    }
    return run;
}

}  // namespace farm
