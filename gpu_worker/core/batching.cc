#include "gpu_worker/core/batching.h"

#include <algorithm>
#include <utility>

#include "common/core/expect.h"
#include "gpu_worker/core/combine.h"

namespace farm {

namespace {

/// What a lone call gets, without a copy.
std::vector<TensorList> all_of(TensorList&& outputs) {
    std::vector<TensorList> calls;
    calls.push_back(std::move(outputs));
    return calls;
}

class OneCallPerRun : public Batching {
  public:
    BatchRule rule() const override { return BatchRule::none; }

    Result<CallMeasure> measure(const TensorList& call) const override {
        return CallMeasure{row_count(call), {}};
    }

    Result<TensorList> combine(RunCalls calls, const Allocate&) const override {
        FARM_EXPECT(calls.size() == 1);
        return *calls.front();
    }

    Result<std::vector<TensorList>> split(TensorList outputs, RunCalls calls) const override {
        FARM_EXPECT(calls.size() == 1);
        return all_of(std::move(outputs));
    }
};

class RowsBatching : public Batching {
  public:
    BatchRule rule() const override { return BatchRule::rows; }

    Result<CallMeasure> measure(const TensorList& call) const override {
        CallMeasure measured{row_count(call), {}};
        for (const Tensor& tensor : call) add_to_key(tensor.desc, {true}, measured.shape_key);
        return measured;
    }

    Result<TensorList> combine(RunCalls calls, const Allocate& allocate) const override {
        return combine_rows(calls, allocate);
    }

    Result<std::vector<TensorList>> split(TensorList outputs, RunCalls calls) const override {
        if (calls.size() == 1) return all_of(std::move(outputs));
        std::vector<std::uint32_t> rows;
        for (const TensorList* call : calls) rows.push_back(row_count(*call));
        return split_rows(outputs, rows);
    }
};

}  // namespace

std::shared_ptr<const Batching> one_call_per_run() {
    static const auto rule = std::make_shared<const OneCallPerRun>();
    return rule;
}

Result<std::shared_ptr<const Batching>> batch_rows(const Signature& signature) {
    auto fits = check_batch_dimension(signature, BatchRule::rows);
    if (!fits) return tl::unexpected(fits.error());
    return std::make_shared<const RowsBatching>();
}

Result<TensorList> lone_run(const Batching& batching, const TensorList& call) {
    if (batching.runs_as_it_is(call)) return call;
    const TensorList* calls[] = {&call};
    return batching.combine(calls, heap_block);
}

Result<void> check_batch_dimension(const Signature& signature, BatchRule rule) {
    const auto check = [&](const std::vector<TensorSpec>& specs,
                           const std::string& what) -> Result<void> {
        for (const TensorSpec& spec : specs) {
            if (!spec.dims.empty() && spec.dims.front() == -1) continue;
            return fail(ErrorCode::invalid,
                        what + " '" + spec.name + "' has dims " + to_string(spec.dims) +
                            " (parameter 'farm.batch' is '" + std::string(to_string(rule)) +
                            "', so the first dimension of every input and output is -1): correct "
                            "dims or set max_batch_size");
        }
        return {};
    };
    if (auto inputs = check(signature.inputs, "input"); !inputs) return inputs;
    return check(signature.outputs, "output");
}

void add_to_key(const TensorDesc& desc, const std::vector<bool>& skipped, std::string& key) {
    key += std::to_string(desc.name.size()) + ":" + desc.name;
    key += std::to_string(desc.type.code) + "," + std::to_string(desc.type.bits) + "," +
           std::to_string(desc.type.lanes);
    for (std::size_t i = 0; i < desc.shape.size(); ++i) {
        key += ",";
        if (i >= skipped.size() || !skipped[i]) key += std::to_string(desc.shape[i]);
    }
    key += ";";
}

}  // namespace farm
