#include "bench/events/event_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <utility>

#include "bench/load/series.h"
#include "common/core/clock.h"
#include "schemas/tensor_values.h"
#include "schemas/track_stages.h"

namespace farm::bench {

namespace {

constexpr std::size_t stage_count = track_stage_names.size();

Result<TensorList> run_event(BackendInstance& model, const Tensor& event) {
    auto outputs = model.run({&event, 1});
    if (!outputs) return fail(ErrorCode::device, "a run failed: " + outputs.error().detail);
    return *std::move(outputs);
}

Result<std::vector<double>> stages_of(const TensorList& outputs) {
    const auto found = std::ranges::find(
        outputs, "STAGES", [](const Tensor& t) -> const std::string& { return t.desc.name; });
    if (found != outputs.end() && found->desc.type == dtype::f64 &&
        found->data.size() == 2 * stage_count * sizeof(double)) {
        return values_of<double>(*found);
    }
    return fail(ErrorCode::invalid,
                "the model gives no STAGES, float64 [5, 2]: name that output in its config.pbtxt");
}

/// Sums over one pass.
struct Pass {
    std::vector<double> numbers = std::vector<double>(2 * stage_count);  ///< of STAGES
    double call_ms{0};
};

Result<Pass> run_pass(BackendInstance& model, const EventSample& sample) {
    Pass pass;
    for (const Tensor& event : sample.events) {
        const TimePoint begin = steady_now();
        const auto outputs = run_event(model, event);
        pass.call_ms += std::chrono::duration<double, std::milli>(steady_now() - begin).count();
        if (!outputs) return tl::unexpected(outputs.error());
        const auto stages = stages_of(*outputs);
        if (!stages) return tl::unexpected(stages.error());
        for (std::size_t i = 0; i < stages->size(); ++i) pass.numbers[i] += (*stages)[i];
    }
    return pass;
}

/// Median over the passes of what `number_of` says, for one event.
template <class F>
double typical(const std::vector<Pass>& passes, const EventSample& sample, const F& number_of) {
    std::vector<double> values;
    for (const Pass& pass : passes) values.push_back(number_of(pass));
    return spread_of(std::move(values)).median / static_cast<double>(sample.events.size());
}

}  // namespace

Result<EventFigures> time_stages(BackendInstance& model, const EventSample& sample, int repeats) {
    if (const auto warm = run_pass(model, sample); !warm) return tl::unexpected(warm.error());
    std::vector<Pass> passes;
    for (int i = 0; i < repeats; ++i) {
        auto pass = run_pass(model, sample);
        if (!pass) return tl::unexpected(pass.error());
        passes.push_back(std::move(*pass));
    }
    EventFigures figures;
    for (std::size_t stage = 0; stage < stage_count; ++stage) {
        const auto number = [&](std::size_t column) {
            return typical(passes, sample,
                           [&](const Pass& pass) { return pass.numbers[2 * stage + column]; });
        };
        figures.stages.push_back({number(0), number(1)});
    }
    figures.call_ms = typical(passes, sample, [](const Pass& pass) { return pass.call_ms; });
    return figures;
}

Result<double> events_per_second(std::span<const std::unique_ptr<BackendInstance>> instances,
                                 const EventSample& sample, double seconds) {
    for (const auto& instance : instances) {
        const auto warm = run_event(*instance, sample.events.front());
        if (!warm) return tl::unexpected(warm.error());
    }
    std::atomic<std::size_t> next{0};
    const TimePoint begin = steady_now();
    const auto work = [&](BackendInstance& instance) -> Result<void> {
        while (steady_now() - begin < std::chrono::duration<double>(seconds)) {
            const Tensor& event = sample.events[next++ % sample.events.size()];
            if (const auto done = run_event(instance, event); !done) {
                return tl::unexpected(done.error());
            }
        }
        return {};
    };
    std::vector<std::future<Result<void>>> threads;
    for (const auto& instance : instances) {
        threads.push_back(std::async(std::launch::async, work, std::ref(*instance)));
    }
    Result<void> all;
    for (auto& thread : threads) {
        if (auto done = thread.get(); !done) all = std::move(done);
    }
    if (!all) return tl::unexpected(all.error());
    return static_cast<double>(next) / std::chrono::duration<double>(steady_now() - begin).count();
}

}  // namespace farm::bench
