#include "gpu_worker/app/direct_bench.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/ops/npy.h"
#include "gpu_worker/core/input_check.h"

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
};

Result<Figures> measure(BackendInstance& instance, const std::vector<TensorList>& events,
                        double seconds) {
    for (const TensorList& event : events) {  // once each, not counted
        if (const auto result = instance.run(event); !result) {
            return fail(ErrorCode::device, result.error().detail);
        }
    }
    Figures figures;
    std::vector<double> milliseconds;
    const TimePoint begin = steady_now();
    TimePoint now = begin;
    // Whole passes over the events, so that every run of the bench does the same work.
    while (now - begin < std::chrono::duration<double>(seconds)) {
        for (const TensorList& event : events) {
            const TimePoint start = steady_now();
            if (const auto result = instance.run(event); !result) {
                return fail(ErrorCode::device, result.error().detail);
            }
            now = steady_now();
            milliseconds.push_back(std::chrono::duration<double, std::milli>(now - start).count());
            figures.rows += row_count(event);
        }
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    figures.runs = milliseconds.size();
    figures.seconds = std::chrono::duration<double>(now - begin).count();
    figures.p50_ms = milliseconds[milliseconds.size() / 2];
    figures.p99_ms = milliseconds[milliseconds.size() * 99 / 100];
    return figures;
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
    const auto figures = measure(*ready->instances.front(), events, options.seconds);
    if (!figures) return tl::unexpected(figures.error());
    const double runs_per_s = static_cast<double>(figures->runs) / figures->seconds;
    const double rows_per_s = static_cast<double>(figures->rows) / figures->seconds;
    if (options.json) {
        const nlohmann::json json{{"model", options.model},    {"device", one.device.name},
                                  {"inputs", events.size()},   {"runs", figures->runs},
                                  {"runs_per_s", runs_per_s},  {"rows_per_s", rows_per_s},
                                  {"p50_ms", figures->p50_ms}, {"p99_ms", figures->p99_ms}};
        std::printf("%s\n", json.dump().c_str());
    } else {
        std::printf(
            "%s on %s, in this process, one instance\n"
            "  inputs   %zu\n  runs     %zu in %.2f s\n"
            "  rate     %.1f runs/s, %.0f rows/s\n  latency  p50 %.2f ms, p99 %.2f ms\n",
            options.model.c_str(), one.device.name.c_str(), events.size(), figures->runs,
            figures->seconds, runs_per_s, rows_per_s, figures->p50_ms, figures->p99_ms);
    }
    return {};
}

}  // namespace farm
