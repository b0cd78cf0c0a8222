#include "gpu_worker/app/model_loader.h"

#include <algorithm>
#include <utility>

#include "common/ops/log.h"
#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/repository/repository.h"
#include "gpu_worker/repository/warmup.h"
#include "schemas/limits.h"

namespace farm {
namespace {

constexpr int measured_runs = 3;
/// Runs longer than this are measured once; a worker should not take minutes to join.
constexpr auto long_run = std::chrono::milliseconds(200);

/// Best of a few runs: what the device needs when nothing disturbs it.
Result<std::uint64_t> measure(BackendInstance& instance, const TensorList& inputs) {
    std::uint64_t best = 0;
    for (int i = 0; i < measured_runs; ++i) {
        const TimePoint begin = steady_now();
        const RunResult result = instance.run(inputs);
        if (!result) return fail(ErrorCode::device, result.error().detail);
        const auto took = steady_now() - begin;
        const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(1, took.count()));
        best = best == 0 ? ns : std::min(best, ns);
        if (took > long_run) break;
    }
    return best;
}

/// Only the batch dimension is free: any input of so many rows costs the same.
bool has_fixed_rows(const Signature& signature) {
    return std::all_of(
        signature.inputs.begin(), signature.inputs.end(), [](const TensorSpec& input) {
            return !input.dims.empty() && std::all_of(input.dims.begin() + 1, input.dims.end(),
                                                      [](auto d) { return d >= 0; });
        });
}

Result<void> warm_up(ReadyModel& ready, const ModelSource& source) {
    std::vector<WarmupRun> runs = source.warmup;
    // A signature with free dimensions does not say what a sensible input is: only a warm-up that
    // the model's owner wrote may fail the model. Other numbers than those it was made with may not
    // suit it at all, so it has to show that it runs.
    const bool is_given = !runs.empty();
    const bool is_required = is_given || source.precision != Precision::as_saved;
    if (runs.empty()) runs.push_back(default_warmup(ready.served->ad.signature));
    for (const WarmupRun& run : runs) {
        auto inputs = warmup_tensors(run);
        if (!inputs) return tl::unexpected(inputs.error());
        if (inputs->empty()) continue;
        const Batching& batching = *ready.served->batching;
        const auto measured = batching.measure(*inputs);
        if (!measured) return is_required ? tl::unexpected(measured.error()) : Result<void>{};
        if (auto sound = batching.check_values(*inputs); !sound) return sound;
        const auto model_inputs = lone_run(batching, *inputs);
        if (!model_inputs) return tl::unexpected(model_inputs.error());
        for (auto& instance : ready.instances) {
            for (std::uint32_t i = 0; i < run.run_count; ++i) {
                const RunResult result = instance->run(*model_inputs);
                if (result) continue;
                if (!is_required) return {};
                return fail(ErrorCode::device,
                            "warm-up run '" + run.name + "' failed: " + result.error().detail);
            }
        }
        const auto best = measure(*ready.instances.front(), *model_inputs);
        if (!best) return is_required ? tl::unexpected(best.error()) : Result<void>{};
        const std::uint32_t rows = measured->rows;
        auto& curve = ready.served->ad.cost;
        // What a made-up input costs says little about real ones.
        const bool is_typical = is_given || has_fixed_rows(ready.served->ad.signature);
        if (is_typical && rows > 0 && curve.size() < limits::cost_point_count) {
            curve.push_back({rows, *best});
        }
        ready.self_test = std::move(*inputs);
    }
    auto& curve = ready.served->ad.cost;
    std::sort(curve.begin(), curve.end(),
              [](const CostPoint& a, const CostPoint& b) { return a.rows < b.rows; });
    curve.erase(
        std::unique(curve.begin(), curve.end(),
                    [](const CostPoint& a, const CostPoint& b) { return a.rows == b.rows; }),
        curve.end());
    return {};
}

Result<ReadyModel> load(const ModelSource& source, const LoadOptions& options) {
    auto model = load_model(source, options.device);
    if (!model) return tl::unexpected(model.error());
    ReadyModel ready;
    ready.hints = source.hints;
    ready.served = std::make_shared<ServedModel>();
    ready.served->model = *model;
    ready.served->batching = source.batching;
    ready.served->ad = (*model)->service();
    if (ready.served->ad.device == DeviceKind::cuda) {
        ready.served->allocate = allocate_in(options.pinned);
    }
    ServiceAd& ad = ready.served->ad;
    ad.labels.insert(ad.labels.end(), options.labels.begin(), options.labels.end());
    if (ad.labels.size() > limits::label_count) {
        return fail(ErrorCode::too_large,
                    "model '" + source.model + "' and this worker have " +
                        std::to_string(ad.labels.size()) + " labels together (limit " +
                        std::to_string(limits::label_count) + "): give fewer --label");
    }
    if (options.instances_override != 0) ad.instance_count = options.instances_override;
    ready.served->made_by = Provenance{options.worker_name, ad.model, ad.version, ad.hash};
    for (std::uint32_t i = 0; i < ad.instance_count; ++i) {
        auto instance = (*model)->make_instance();
        if (!instance) return tl::unexpected(instance.error());
        ready.instances.push_back(std::move(*instance));
    }
    if (const auto warmed = warm_up(ready, source); !warmed) return tl::unexpected(warmed.error());
    return ready;
}

const std::string& model_of(const RepositoryEntry& entry) {
    return std::visit([](const auto& e) -> const std::string& { return e.model; }, entry);
}

}  // namespace

LoadedEntry load_entry(const RepositoryEntry& entry, const LoadOptions& options) {
    LoadedEntry loaded;
    if (const auto* failure = std::get_if<LoadFailure>(&entry)) {
        loaded.ad = advertise(*failure);
        return loaded;
    }
    const auto& source = std::get<ModelSource>(entry);
    auto ready = load(source, options);
    if (!ready) {
        loaded.ad = advertise(source);
        loaded.ad.failure = ready.error().message;
        return loaded;
    }
    loaded.ad = ready->served->ad;
    loaded.ready = std::move(*ready);
    return loaded;
}

Result<std::vector<RepositoryEntry>> wanted_entries(const LoadOptions& options) {
    auto entries = scan_repository(options.repository);
    if (!entries || options.only.empty()) return entries;
    for (const std::string& name : options.only) {
        const bool is_there = std::any_of(entries->begin(), entries->end(), [&](const auto& entry) {
            return model_of(entry) == name;
        });
        if (is_there) continue;
        return fail(ErrorCode::not_found,
                    "model '" + name + "' is not in " + options.repository.string());
    }
    std::erase_if(*entries, [&](const RepositoryEntry& entry) {
        return std::find(options.only.begin(), options.only.end(), model_of(entry)) ==
               options.only.end();
    });
    return entries;
}

ModelLoader::ModelLoader(std::vector<RepositoryEntry> entries, LoadOptions options,
                         BoundedQueue<LoadedEntry>& loaded)
    : thread_([this, entries = std::move(entries), options = std::move(options), &loaded] {
          for (const RepositoryEntry& entry : entries) {
              if (stopping_) return;
              loaded.push(load_entry(entry, options));
          }
      }) {}

ModelLoader::~ModelLoader() {
    stopping_ = true;
    thread_.join();
}

}  // namespace farm
