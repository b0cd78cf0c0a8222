#include <algorithm>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <optional>
#include <variant>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/events/event_run.h"
#include "bench/events/memory_use.h"
#include "bench/events/network_flop.h"
#include "bench/farm/machine.h"
#include "bench/samples/event_sample.h"
#include "gpu_worker/app/model_loader.h"
#include "gpu_worker/backends/process_settings.h"
#include "schemas/track_stages.h"

namespace {

using namespace farm;
using namespace farm::bench;
namespace fs = std::filesystem;

struct Flags {
    std::string data{"data"};
    std::string models;
    std::string model{"tracks"};
    std::string device{"auto"};
    std::vector<double> pileups{20, 60, 140, 200, 500};
    std::string points;
    int events{1};
    int repeats{5};
    double seconds{2};
    std::vector<std::uint32_t> in_flight;
    std::string json;
};

void declare(CLI::App& app, Flags& flags) {
    app.add_option("--data", flags.data, "The project's data folder")->capture_default_str();
    app.add_option("--models", flags.models, "Model repository (default: models of --data)");
    app.add_option("--model", flags.model, "A track finding service of it that gives STAGES")
        ->capture_default_str();
    app.add_option("--device", flags.device, "cpu, cuda:N or auto")->capture_default_str();
    app.add_option("--pileup", flags.pileups, "Generated events: collisions in one crossing")
        ->delimiter(',')
        ->check(CLI::Range(0.0, 2000.0))
        ->capture_default_str();
    app.add_option("--points", flags.points,
                   "Folder with .csv files of space points \"r,phi,z\" in the networks' units: "
                   "one event each");
    app.add_option("--events", flags.events, "Generated events of each kind, in turns")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--repeats", flags.repeats, "Measurements of each figure")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--in-flight", flags.in_flight,
                   "Events at a time, for events/s (default: 1, on a CUDA device 1,2,4,8,16)")
        ->delimiter(',')
        ->check(CLI::Range(1, 64));
    app.add_option("--seconds", flags.seconds, "Length of each measurement of events/s")
        ->check(CLI::Range(0.05, 600.0))
        ->capture_default_str();
    app.add_option("--json", flags.json, "Write the figures to this file");
}

/// The model, and what its networks come to.
struct CountedModel {
    ReadyModel ready;
    std::optional<NetworkFlop> flop;
};

Result<CountedModel> load(const Flags& flags, const Device& device) {
    LoadOptions options;
    options.repository =
        flags.models.empty() ? fs::path(flags.data) / "models" : fs::path(flags.models);
    options.only = {flags.model};
    options.device = device;
    options.worker_name = "bench";
    options.instances_override = std::ranges::max(flags.in_flight);
    const auto entries = wanted_entries(options);
    if (!entries) return tl::unexpected(entries.error());
    LoadedEntry loaded = load_entry(entries->back(), options);
    if (!loaded.ready) {
        return fail(ErrorCode::invalid,
                    "model '" + flags.model + "' does not load: " + loaded.ad.failure);
    }
    const auto flop = count_flop(std::get<ModelSource>(entries->back()));
    if (!flop) return tl::unexpected(flop.error());
    return CountedModel{std::move(*loaded.ready), *flop};
}

/// Empty where there is none.
std::string label_of(const ServiceAd& ad, std::string_view key) {
    const auto label = std::ranges::find(ad.labels, key, &Label::key);
    return label == ad.labels.end() ? "" : label->value;
}

FeatureScales scales_of(const ServiceAd& ad) {
    return parse_feature_scales(label_of(ad, feature_scales_label)).value_or(FeatureScales{});
}

Result<std::vector<EventSample>> make_samples(const Flags& flags, const FeatureScales& scales) {
    std::vector<EventSample> samples;
    if (!flags.points.empty()) {
        auto sample = read_sample(flags.points);
        if (!sample) return tl::unexpected(sample.error());
        samples.push_back(std::move(*sample));
    }
    const auto detector = read_detector(fs::path(flags.data) / "trackml/detectors.csv");
    if (!detector) return tl::unexpected(detector.error());
    for (const double pileup : flags.pileups) {
        auto sample = draw_sample(*detector, pileup, flags.events, scales);
        if (!sample) return tl::unexpected(sample.error());
        samples.push_back(std::move(*sample));
    }
    std::ranges::sort(samples, {}, &EventSample::mean_point_count);  // as MemoryUse wants it
    return samples;
}

void print_head() {
    fmt::print("{:<13}{:>8}", "SAMPLE", "POINTS");
    for (const char* stage : {"EMBED", "GRAPH", "FILTER", "CLASS", "TRACKS", "CALL MS"}) {
        fmt::print("{:>8}", stage);
    }
    fmt::print("{:>9}{:>7}\n", "EDGES", "MB");
}

/// Seven characters, and as many digits as fit.
std::string ms_text(double ms) { return fmt::format("{:.{}f}", ms, ms < 1000 ? 2 : 0); }

void print_row(const EventSample& sample, const EventFigures& figures, std::uint64_t memory_bytes) {
    fmt::print("{:<13.13}{:>8.0f}", sample.name, sample.mean_point_count());
    for (const StageFigures& stage : figures.stages) fmt::print("{:>8}", ms_text(stage.ms));
    fmt::print("{:>8}{:>9.0f}{:>7.0f}\n", ms_text(figures.call_ms), figures.stages[1].edge_count,
               static_cast<double>(memory_bytes) / 1e6);
    std::fflush(stdout);
}

nlohmann::json as_json(const EventSample& sample, const EventFigures& figures,
                       std::uint64_t memory_bytes) {
    nlohmann::json stages = nlohmann::json::array();
    for (std::size_t i = 0; i < figures.stages.size(); ++i) {
        stages.push_back({{"name", track_stage_names[i]},
                          {"ms", figures.stages[i].ms},
                          {"edges", figures.stages[i].edge_count}});
    }
    return {{"sample", sample.name},
            {"points", sample.mean_point_count()},
            {"stages", stages},
            {"call_ms", figures.call_ms},
            {"memory_bytes", memory_bytes},
            {"rates", nlohmann::json::array()}};
}

/// 1e9 floating-point operations of the networks for one event.
std::optional<double> gflop_of(const std::optional<NetworkFlop>& flop, const EventSample& sample,
                               const EventFigures& figures) {
    if (!flop) return std::nullopt;
    return 1e-9 * flop->of_event(sample.mean_point_count(), figures.stages[1].edge_count,
                                 figures.stages[2].edge_count);
}

std::string shown(const std::optional<double>& number, double factor) {
    return number ? fmt::format("{:.3g}", *number * factor) : "-";
}

Result<nlohmann::json> run(const Flags& flags) {
    const auto device = resolve_device(flags.device);
    if (!device) return tl::unexpected(device.error());
    Flags chosen = flags;
    if (chosen.in_flight.empty()) {
        chosen.in_flight = device->kind == DeviceKind::cuda
                               ? std::vector<std::uint32_t>{1, 2, 4, 8, 16}
                               : std::vector<std::uint32_t>{1};
    }
    const MemoryUse memory(*device);
    const auto model = load(chosen, *device);
    if (!model) return tl::unexpected(model.error());
    const auto samples = make_samples(chosen, scales_of(model->ready.served->ad));
    if (!samples) return tl::unexpected(samples.error());

    const std::string kernels = label_of(model->ready.served->ad, track_kernels_label);
    fmt::print("{}\n{} on {}, in this process; milliseconds of an event, medians of {}\n",
               machine_line(), chosen.model, device->name, chosen.repeats);
    if (!kernels.empty()) fmt::print("networks that are kernels: {}\n", kernels);
    print_head();
    nlohmann::json rows = nlohmann::json::array();
    std::vector<std::optional<double>> gflop;
    for (const EventSample& sample : *samples) {
        const auto figures = time_stages(*model->ready.instances.front(), sample, chosen.repeats);
        if (!figures) return tl::unexpected(figures.error());
        const std::uint64_t bytes = memory.bytes();
        print_row(sample, *figures, bytes);
        rows.push_back(as_json(sample, *figures, bytes));
        gflop.push_back(gflop_of(model->flop, sample, *figures));
        if (gflop.back()) rows.back()["gflop"] = *gflop.back();
    }
    fmt::print("\n{:<13}{:>10}{:>10}{:>12}{:>14}{:>10}\n", "SAMPLE", "IN FLIGHT", "EVENTS/S",
               "POINTS/S", "GFLOP/EVENT", "GFLOP/S");
    for (std::size_t i = 0; i < samples->size(); ++i) {
        for (const std::uint32_t count : chosen.in_flight) {
            const EventSample& sample = (*samples)[i];
            const auto rate = events_per_second(std::span(model->ready.instances).first(count),
                                                sample, chosen.seconds);
            if (!rate) return tl::unexpected(rate.error());
            fmt::print("{:<13.13}{:>10}{:>10.2f}{:>12.0f}{:>14}{:>10}\n", sample.name, count, *rate,
                       *rate * sample.mean_point_count(), shown(gflop[i], 1),
                       shown(gflop[i], *rate));
            std::fflush(stdout);
            rows[i]["rates"].push_back({{"in_flight", count}, {"events_per_s", *rate}});
        }
    }
    return nlohmann::json{
        {"device", device->name}, {"model", chosen.model}, {"kernels", kernels}, {"samples", rows}};
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app("Whole events of track finding in this process: time of each stage, and events/s");
    declare(app, flags);
    CLI11_PARSE(app, argc, argv);
    keep_memory_mapped();
    const auto figures = run(flags);
    if (!figures) {
        std::fprintf(stderr, "events: error: %s\n", figures.error().message.c_str());
        return 1;
    }
    if (!flags.json.empty()) {
        std::ofstream file(flags.json);
        nlohmann::json json = *figures;
        json["machine"] = nlohmann::json::parse(machine_json());
        if (!(file << json.dump(2) << '\n').flush()) {
            std::fprintf(stderr, "events: error: cannot write %s\n", flags.json.c_str());
            return 1;
        }
    }
    return 0;
}
