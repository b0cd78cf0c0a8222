#include <cstdio>
#include <fstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/farm/bench_farm.h"
#include "bench/farm/cpu_time.h"
#include "bench/farm/farm_caller.h"
#include "bench/farm/machine.h"
#include "bench/farm/reference_model.h"
#include "bench/farm/scratch_folder.h"
#include "bench/interference/stream.h"
#include "bench/load/goal.h"

namespace {

using namespace farm;
using namespace farm::bench;
namespace fs = std::filesystem;

struct Flags {
    std::string farm_bin;
    std::string json;
    std::string goals_json;
    int repeats{5};
    double seconds{3};
    double cores{0.5};
    std::size_t small_bytes{1024};
    std::size_t stream_bytes{100 << 20};
};

struct Figures {
    std::vector<double> idle_p99_us, beside_p99_us, idle_p50_us, beside_p50_us;
    std::vector<double> stream_mb_per_s, stream_cores;
    double cpu_s_per_call{0};  ///< of one large call, in client, broker and worker
};

struct Scene {
    BenchFarm farm;
    Client client;

    /// Of everything that the stream goes through.
    double stream_cpu_s() const {
        return cpu_seconds(0) + cpu_seconds(farm.pid("broker")) + cpu_seconds(farm.pid("stream"));
    }
};

Result<Scene> set_up(const Flags& flags, const fs::path& scratch) {
    const auto programs = find_programs(flags.farm_bin);
    if (!programs) return tl::unexpected(programs.error());
    for (const auto& [folder, model] :
         {std::pair{"small", "identity"}, std::pair{"large", "sum"}}) {
        const auto done = write_reference_model(scratch / folder, model, {{"kind", model}});
        if (!done) return tl::unexpected(done.error());
    }
    auto farm = BenchFarm::start({*programs, scratch, {}, {}});
    if (!farm) return tl::unexpected(farm.error());
    for (const auto& [name, folder] : {std::pair{"small", "small"}, std::pair{"stream", "large"}}) {
        const auto done = farm->start_worker({name, scratch / folder, {}, {}});
        if (!done) return tl::unexpected(done.error());
    }
    ClientConfig config;
    config.direct = DirectUse::never;  // both kinds of call are to meet in the broker
    auto client = Client::connect(farm->url(), config);
    if (!client) return tl::unexpected(client.error());
    const auto ready = farm->wait_for(*client, {"identity", "sum"}, std::chrono::seconds(60));
    if (!ready) return tl::unexpected(ready.error());
    return Scene{std::move(*farm), std::move(*client)};
}

/// Processor time of one large call when nothing else is called.
Result<double> cost_of_call(Scene& scene, const Flags& flags) {
    FarmCaller caller(scene.client, {"sum", true});
    Load load{flags.stream_bytes, 1, 0, 2};
    if (const auto warm = caller.run(load); !warm) return tl::unexpected(warm.error());
    load.calls = 5;
    const double before = scene.stream_cpu_s();
    const auto sample = caller.run(load);
    if (!sample) return tl::unexpected(sample.error());
    return (scene.stream_cpu_s() - before) / static_cast<double>(sample->calls);
}

Result<Figures> measure(Scene& scene, const Flags& flags) {
    Figures figures;
    const auto cost = cost_of_call(scene, flags);
    if (!cost) return tl::unexpected(cost.error());
    figures.cpu_s_per_call = *cost;
    const auto period =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*cost / flags.cores));
    FarmCaller caller(scene.client, {"identity"});
    const Load load{flags.small_bytes, 1, flags.seconds};
    if (const auto warm = caller.run(load); !warm) return tl::unexpected(warm.error());
    for (int repeat = 0; repeat < flags.repeats; ++repeat) {
        const auto idle = caller.run(load);
        if (!idle) return tl::unexpected(idle.error());
        Stream stream(scene.client, "sum", flags.stream_bytes, period);
        const TimePoint begin = steady_now();
        const auto beside = caller.run(load);
        const auto calls = stream.stop();
        const double seconds = std::chrono::duration<double>(steady_now() - begin).count();
        if (!beside) return tl::unexpected(beside.error());
        if (!calls) return tl::unexpected(calls.error());
        if (*calls == 0) return fail(ErrorCode::io, "no large call ended");
        figures.idle_p50_us.push_back(idle->p50_us);
        figures.idle_p99_us.push_back(idle->p99_us);
        figures.beside_p50_us.push_back(beside->p50_us);
        figures.beside_p99_us.push_back(beside->p99_us);
        const double rate = static_cast<double>(*calls) / seconds;
        figures.stream_mb_per_s.push_back(rate * static_cast<double>(flags.stream_bytes) / 1e6);
        figures.stream_cores.push_back(rate * *cost);
        std::fprintf(stderr, "\rinterference: repeat %d of %d ", repeat + 1, flags.repeats);
    }
    std::fprintf(stderr, "\n");
    return figures;
}

GoalResult goal_of(const Figures& figures) {
    return {{"1 KB p99 beside the 100 MB stream / idle", Goal::Sense::at_most, 5},
            ratio_of(figures.beside_p99_us, figures.idle_p99_us)};
}

void print(const Figures& figures, const Flags& flags) {
    const auto line = [](const char* name, std::vector<double> values) {
        const Spread spread = spread_of(std::move(values));
        return fmt::format("{:<34} {:>10.1f} {:>10.1f} {:>10.1f}\n", name, spread.median,
                           spread.low, spread.high);
    };
    const std::string text =
        fmt::format("{:<34} {:>10} {:>10} {:>10}\n", "", "MEDIAN", "LOW", "HIGH") +
        line("small call alone, p50 us", figures.idle_p50_us) +
        line("small call alone, p99 us", figures.idle_p99_us) +
        line("beside the stream, p50 us", figures.beside_p50_us) +
        line("beside the stream, p99 us", figures.beside_p99_us) +
        line("the stream, MB/s", figures.stream_mb_per_s) +
        fmt::format(
            "the stream takes {:.2f} cores ({:.0f} ms of processor time a call, in client, "
            "broker and worker)\n",
            spread_of(figures.stream_cores).median, 1000 * figures.cpu_s_per_call);
    std::printf(
        "%s\none client, one broker, a worker for each model; %d x %.1f s in turns\n\n%s\n%s",
        machine_line().c_str(), flags.repeats, flags.seconds, text.c_str(),
        goal_table({goal_of(figures)}).c_str());
}

std::string json(const Figures& figures, const Flags& flags) {
    const auto median = [](const std::vector<double>& values) { return spread_of(values).median; };
    const Spread ratio = *goal_of(figures).ratio;
    const nlohmann::ordered_json object{{"small_bytes", flags.small_bytes},
                                        {"stream_bytes", flags.stream_bytes},
                                        {"stream_cores", median(figures.stream_cores)},
                                        {"stream_mb_per_s", median(figures.stream_mb_per_s)},
                                        {"idle_p50_us", median(figures.idle_p50_us)},
                                        {"idle_p99_us", median(figures.idle_p99_us)},
                                        {"beside_p50_us", median(figures.beside_p50_us)},
                                        {"beside_p99_us", median(figures.beside_p99_us)},
                                        {"ratio", ratio.median},
                                        {"ratio_low", ratio.low},
                                        {"ratio_high", ratio.high},
                                        {"repeats", flags.repeats}};
    return nlohmann::ordered_json::array({object}).dump(1) + "\n";
}

Result<Figures> run(const Flags& flags, const fs::path& scratch) {
    auto scene = set_up(flags, scratch);
    if (!scene) return tl::unexpected(scene.error());
    return measure(*scene, flags);
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app(
        "How long small calls take while large tensors stream to another worker through the same "
        "client and broker");
    app.add_option("--farm-bin", flags.farm_bin,
                   "Folder with farm-broker, farm-worker and farm in it (default: this build's)");
    app.add_option("--json", flags.json, "Write the figures to this file");
    app.add_option("--goals-json", flags.goals_json, "Write the goal and what was seen");
    app.add_option("--repeats", flags.repeats, "Measurements")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--seconds", flags.seconds, "Length of one measurement")
        ->check(CLI::Range(0.05, 600.0))
        ->capture_default_str();
    app.add_option("--cores", flags.cores, "Processor time that the stream may take a second")
        ->check(CLI::Range(0.01, 64.0))
        ->capture_default_str();
    app.add_option("--stream-bytes", flags.stream_bytes, "Size of the large tensors")
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    ScratchFolder scratch("interference");
    const auto figures = run(flags, scratch.path());
    if (!figures) {
        scratch.keep();
        std::fprintf(stderr, "\ninterference: error: %s (logs are in %s)\n",
                     figures.error().message.c_str(), scratch.path().c_str());
        return 1;
    }
    print(*figures, flags);
    if (!flags.json.empty()) std::ofstream(flags.json) << json(*figures, flags);
    if (!flags.goals_json.empty()) {
        std::ofstream(flags.goals_json) << goal_json({goal_of(*figures)});
    }
    return 0;
}
