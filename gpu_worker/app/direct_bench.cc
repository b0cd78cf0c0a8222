#include "gpu_worker/app/direct_bench.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <nlohmann/json.hpp>

#include "common/ops/npy.h"
#include "gpu_worker/app/bench_rows.h"
#include "gpu_worker/core/input_check.h"
#include "schemas/cost_curve.h"

namespace farm {
namespace {

namespace fs = std::filesystem;

Result<TensorList> read_event(const fs::path& folder, const ServiceAd& ad) {
    TensorList tensors;
    for (const TensorSpec& input : ad.signature.inputs) {
        const fs::path file = folder / (input.name + ".npy");
        if (input.optional && !fs::exists(file)) continue;
        auto tensor = read_npy(file, input.name);
        if (!tensor) return tl::unexpected(tensor.error());
        tensors.push_back(std::move(*tensor));
    }
    const auto rows = check_inputs(ad, tensors);
    if (!rows) return fail(rows.error().code, folder.string() + ": " + rows.error().message);
    return tensors;
}

Result<std::vector<TensorList>> read_events(const fs::path& folder, const ServiceAd& ad) {
    std::error_code error;
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.is_directory()) folders.push_back(entry.path());
    }
    if (error) {
        return fail(ErrorCode::not_found,
                    "--bench-inputs '" + folder.string() + "' cannot be read: " + error.message());
    }
    std::sort(folders.begin(), folders.end());
    std::vector<TensorList> events;
    for (const fs::path& event : folders) {
        auto tensors = read_event(event, ad);
        if (!tensors) return tl::unexpected(tensors.error());
        events.push_back(std::move(*tensors));
    }
    if (events.empty()) {
        return fail(ErrorCode::not_found, "--bench-inputs '" + folder.string() +
                                              "' has no folders with <input>.npy files in them");
    }
    return events;
}

Result<ReadyModel> load_one(const std::string& name, LoadOptions load) {
    load.only = {name.substr(0, name.find('/'))};
    auto entries = wanted_entries(load);
    if (!entries) return tl::unexpected(entries.error());
    Error last{ErrorCode::not_found, "model '" + name + "' has no such version"};
    for (const RepositoryEntry& entry : *entries) {
        const auto* source = std::get_if<ModelSource>(&entry);
        if (source != nullptr && source->model != name &&
            service_name(source->model, source->version) != name) {
            continue;
        }
        LoadedEntry loaded = load_entry(entry, load);
        if (loaded.ready) return std::move(*loaded.ready);
        last = {ErrorCode::invalid, "model '" + name + "' does not load: " + loaded.ad.failure};
    }
    return tl::unexpected(last);
}

struct Figures {
    std::size_t runs{0};
    std::uint64_t rows{0};
    double seconds{0};
    double p50_ms{0};
    double p99_ms{0};
    double faults_per_run{0};
    double processor_ms_per_run{0};

    double runs_per_s() const { return static_cast<double>(runs) / seconds; }
    double rows_per_s() const { return static_cast<double>(rows) / seconds; }
};

/// What this process has used up so far.
struct Usage {
    double processor_ms{0};
    double minor_faults{0};  ///< pages that it touched for the first time
};

Usage usage_so_far() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto ms = [](const timeval& time) {
        return 1e3 * static_cast<double>(time.tv_sec) + 1e-3 * static_cast<double>(time.tv_usec);
    };
    return {ms(usage.ru_utime) + ms(usage.ru_stime), static_cast<double>(usage.ru_minflt)};
}

/// What the model takes for one event, and how many rows that is.
struct ModelInputs {
    TensorList tensors;
    std::uint32_t rows{1};
};

Result<std::vector<ModelInputs>> model_inputs(const Batching& batching,
                                              const std::vector<TensorList>& calls) {
    std::vector<ModelInputs> all;
    for (const TensorList& call : calls) {
        const auto measured = batching.measure(call);
        if (!measured) return tl::unexpected(measured.error());
        if (auto sound = batching.check_values(call); !sound) return tl::unexpected(sound.error());
        auto tensors = lone_run(batching, call);
        if (!tensors) return tl::unexpected(tensors.error());
        all.push_back({std::move(*tensors), measured->rows});
    }
    return all;
}

Result<Figures> measure(const ReadyModel& ready, const std::vector<TensorList>& calls,
                        double seconds) {
    BackendInstance& instance = *ready.instances.front();
    const auto made = model_inputs(*ready.served->batching, calls);
    if (!made) return tl::unexpected(made.error());
    const std::vector<ModelInputs>& events = *made;
    for (const ModelInputs& event : events) {  // once each, not counted
        if (const auto result = instance.run(event.tensors); !result) {
            return fail(ErrorCode::device, result.error().detail);
        }
    }
    Figures figures;
    std::vector<double> milliseconds;
    const Usage before = usage_so_far();
    const TimePoint begin = steady_now();
    TimePoint now = begin;
    // Whole passes over the events, so that every run of the bench does the same work.
    while (now - begin < std::chrono::duration<double>(seconds)) {
        for (const ModelInputs& event : events) {
            const TimePoint start = steady_now();
            if (const auto result = instance.run(event.tensors); !result) {
                return fail(ErrorCode::device, result.error().detail);
            }
            now = steady_now();
            milliseconds.push_back(std::chrono::duration<double, std::milli>(now - start).count());
            figures.rows += event.rows;
        }
    }
    const Usage after = usage_so_far();
    std::sort(milliseconds.begin(), milliseconds.end());
    figures.runs = milliseconds.size();
    const auto runs = static_cast<double>(figures.runs);
    figures.faults_per_run = (after.minor_faults - before.minor_faults) / runs;
    figures.processor_ms_per_run = (after.processor_ms - before.processor_ms) / runs;
    figures.seconds = std::chrono::duration<double>(now - begin).count();
    figures.p50_ms = milliseconds[milliseconds.size() / 2];
    figures.p99_ms = milliseconds[milliseconds.size() * 99 / 100];
    return figures;
}

nlohmann::json as_json(const Figures& figures) {
    return {{"runs", figures.runs},
            {"runs_per_s", figures.runs_per_s()},
            {"rows_per_s", figures.rows_per_s()},
            {"p50_ms", figures.p50_ms},
            {"p99_ms", figures.p99_ms},
            {"processor_ms_per_run", figures.processor_ms_per_run},
            {"minor_faults_per_run", figures.faults_per_run}};
}

void print_one(const DirectBenchOptions& options, const std::string& device,
               std::size_t event_count, const Figures& figures) {
    if (options.json) {
        nlohmann::json json = as_json(figures);
        json["model"] = options.model;
        json["device"] = device;
        json["inputs"] = event_count;
        std::printf("%s\n", json.dump().c_str());
        return;
    }
    std::printf(
        "%s on %s, in this process, one instance\n"
        "  inputs   %zu\n  runs     %zu in %.2f s\n"
        "  rate     %.1f runs/s, %.0f rows/s\n  latency  p50 %.2f ms, p99 %.2f ms\n"
        "  memory   %.1f minor faults per run\n",
        options.model.c_str(), device.c_str(), event_count, figures.runs, figures.seconds,
        figures.runs_per_s(), figures.rows_per_s(), figures.p50_ms, figures.p99_ms,
        figures.faults_per_run);
}

/// One size after the other, each with all events; then the knee.
Result<void> sweep(const DirectBenchOptions& options, const ReadyModel& ready,
                   const std::string& device, const std::vector<TensorList>& events) {
    std::vector<CostPoint> curve;
    nlohmann::json sizes = nlohmann::json::array();
    if (!options.json) {
        std::printf("%s on %s, in this process, one instance\n%8s %12s %10s %10s %12s\n",
                    options.model.c_str(), device.c_str(), "rows", "rows/s", "p50 ms", "p99 ms",
                    "faults/run");
    }
    for (const std::uint32_t rows : options.rows) {
        std::vector<TensorList> sized;
        for (const TensorList& event : events) {
            auto inputs = with_rows(ready.served->ad, event, rows);
            if (!inputs) return tl::unexpected(inputs.error());
            sized.push_back(std::move(*inputs));
        }
        const auto figures = measure(ready, sized, options.seconds);
        if (!figures) return tl::unexpected(figures.error());
        curve.push_back({rows, static_cast<std::uint64_t>(1e9 / figures->runs_per_s())});
        if (options.json) {
            sizes.push_back(as_json(*figures));
            sizes.back()["rows"] = rows;
        } else {
            std::printf("%8u %12.1f %10.2f %10.2f %12.1f\n", rows, figures->rows_per_s(),
                        figures->p50_ms, figures->p99_ms, figures->faults_per_run);
            std::fflush(stdout);
        }
    }
    if (!options.json) {
        std::printf("knee at %u rows\n", knee_rows(curve));
        return {};
    }
    const nlohmann::json json{{"model", options.model},
                              {"device", device},
                              {"sizes", sizes},
                              {"knee_rows", knee_rows(curve)}};
    std::printf("%s\n", json.dump().c_str());
    return {};
}

}  // namespace

Result<void> run_direct_bench(const DirectBenchOptions& options, const LoadOptions& load) {
    LoadOptions one = load;
    one.instances_override = 1;
    auto ready = load_one(options.model, one);
    if (!ready) return tl::unexpected(ready.error());
    std::vector<TensorList> events;
    if (options.inputs.empty()) {
        if (ready->self_test.empty()) {
            return fail(ErrorCode::invalid,
                        "model '" + options.model + "' has no warm-up inputs: give --bench-inputs");
        }
        events.push_back(ready->self_test);
    } else {
        auto read = read_events(options.inputs, ready->served->ad);
        if (!read) return tl::unexpected(read.error());
        events = std::move(*read);
    }
    if (options.rows.empty()) {
        const auto figures = measure(*ready, events, options.seconds);
        if (!figures) return tl::unexpected(figures.error());
        print_one(options, one.device.name, events.size(), *figures);
        return {};
    }
    return sweep(options, *ready, one.device.name, events);
}

}  // namespace farm
