#include <cstdio>
#include <fstream>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/cost/callgrind.h"
#include "bench/farm/bench_farm.h"
#include "bench/farm/farm_caller.h"
#include "bench/farm/load_process.h"
#include "bench/farm/machine.h"
#include "bench/farm/reference_model.h"
#include "bench/farm/scratch_folder.h"

namespace {

using namespace farm;
using namespace farm::bench;
namespace fs = std::filesystem;

constexpr auto farm_ready_limit =
    std::chrono::seconds(180);  // a worker under valgrind loads slowly
constexpr std::size_t listed_function_count = 12;
const std::string model = "identity";

struct Flags {
    std::string control;
    std::string broker;
    std::string farm_bin;
    std::string json;
    std::string keep;
    std::string path{"routed"};
    std::uint64_t calls{4000};
    std::size_t bytes{1024};
    std::vector<int> outstanding{1, 8, 64};
    std::vector<std::string> roles{"broker", "worker", "client"};
    bool lists_functions{false};
};

struct Cost {
    std::string role;
    int outstanding{1};
    std::uint64_t calls{0};
    CallgrindProfile profile;

    double per_call(std::uint64_t count) const {
        return static_cast<double>(count) / static_cast<double>(calls);
    }
};

/// The client's process: calls when it is told to.
int serve_client(const Flags& flags) {
    ClientConfig config;
    config.direct = flags.path == "routed" ? DirectUse::never : DirectUse::always;
    config.same_host = flags.path == "same_host";
    auto client = Client::connect(flags.broker, config);
    if (!client) return serve_loads(flags.control, tl::unexpected(client.error()));
    FarmCaller caller(*client, {model});
    return serve_loads(flags.control, RunLoad([&](const Load& load) { return caller.run(load); }));
}

/// A farm and a client, with one of the three under callgrind.
struct Scene {
    BenchFarm farm;
    LoadProcess client;

    pid_t pid(const std::string& role) const {
        return role == "client" ? client.pid() : farm.pid(role);
    }
};

Result<Scene> set_up(const Flags& flags, const std::string& role, const Callgrind& callgrind,
                     const fs::path& scratch) {
    const auto programs = find_programs(flags.farm_bin);
    if (!programs) return tl::unexpected(programs.error());
    const auto prefix = [&](const std::string& who) {
        return who == role ? callgrind.prefix() : std::vector<std::string>{};
    };
    const auto written = write_reference_model(scratch / "models", model);
    if (!written) return tl::unexpected(written.error());
    // Under callgrind on a busy machine silence of seconds is no death; and beats are no calls.
    auto farm = BenchFarm::start({*programs, scratch, prefix("broker"), {"--beat-ms", "10000"}});
    if (!farm) return tl::unexpected(farm.error());
    const auto started = farm->start_worker({"worker", scratch / "models", prefix("worker"), {}});
    if (!started) return tl::unexpected(started.error());
    auto probe = Client::connect(farm->url());
    if (!probe) return tl::unexpected(probe.error());
    const auto ready = farm->wait_for(*probe, {model}, farm_ready_limit);
    if (!ready) return tl::unexpected(ready.error());

    const std::string control = "ipc://" + (scratch / "control").string();
    std::vector<std::string> command = prefix("client");
    command.insert(command.end(), {fs::read_symlink("/proc/self/exe").string(), "--control",
                                   control, "--broker", farm->url(), "--path", flags.path});
    auto client = LoadProcess::start(control, command, (scratch / "client.log").string());
    if (!client) return tl::unexpected(client.error());
    return Scene{std::move(*farm), std::move(*client)};
}

Result<Cost> measure(Scene& scene, const std::string& role, int outstanding, const Flags& flags,
                     Callgrind& callgrind) {
    // Warm: pools, tables and windows have their size.
    Load load{flags.bytes, outstanding, 0, flags.calls / 4 + 1};
    if (const auto warm = scene.client.run(load); !warm) return tl::unexpected(warm.error());
    if (const auto on = callgrind.start(scene.pid(role)); !on) return tl::unexpected(on.error());
    load.calls = flags.calls;
    const auto sample = scene.client.run(load);
    if (!sample) return tl::unexpected(sample.error());
    auto profile = callgrind.finish(scene.pid(role));
    if (!profile) return tl::unexpected(profile.error());
    if (sample->calls == 0 || profile->instructions == 0) {
        return fail(ErrorCode::internal, role + ": no call, or no instruction, was counted");
    }
    return Cost{role, outstanding, sample->calls, std::move(*profile)};
}

Result<std::vector<Cost>> measure_all(const Flags& flags, const fs::path& scratch) {
    if (const auto there = Callgrind::available(); !there) return tl::unexpected(there.error());
    std::vector<Cost> costs;
    for (const std::string& role : flags.roles) {
        const fs::path own = scratch / role;
        fs::create_directories(own);
        Callgrind callgrind(own);
        auto scene = set_up(flags, role, callgrind, own);
        if (!scene) return tl::unexpected(scene.error());
        for (const int outstanding : flags.outstanding) {
            std::fprintf(stderr, "\rcost: %s, %d open    ", role.c_str(), outstanding);
            auto cost = measure(*scene, role, outstanding, flags, callgrind);
            if (!cost) return tl::unexpected(cost.error());
            costs.push_back(std::move(*cost));
        }
    }
    std::fprintf(stderr, "\n");
    return costs;
}

std::string table(const std::vector<Cost>& costs, bool lists_functions) {
    std::string text =
        fmt::format("{:<8} {:>4} {:>14} {:>12}\n", "ROLE", "OPEN", "INSTRUCTIONS", "ALLOCATIONS");
    for (const Cost& cost : costs) {
        text += fmt::format("{:<8} {:>4} {:>14.0f} {:>12.2f}\n", cost.role, cost.outstanding,
                            cost.per_call(cost.profile.instructions),
                            cost.per_call(cost.profile.allocations()));
        if (!lists_functions) continue;
        for (const auto& function : cost.profile.most_expensive(listed_function_count)) {
            text += fmt::format("{:>28.0f}  {:.90}\n", cost.per_call(function.self_instructions),
                                function.name);
        }
    }
    return text;
}

std::string json(const std::vector<Cost>& costs, const Flags& flags) {
    auto list = nlohmann::ordered_json::array();
    for (const Cost& cost : costs) {
        auto functions = nlohmann::ordered_json::array();
        for (const auto& function : cost.profile.most_expensive(listed_function_count)) {
            functions.push_back({{"name", function.name},
                                 {"self_per_call", cost.per_call(function.self_instructions)}});
        }
        list.push_back({{"role", cost.role},
                        {"bytes", flags.bytes},
                        {"outstanding", cost.outstanding},
                        {"calls", cost.calls},
                        {"instructions_per_call", cost.per_call(cost.profile.instructions)},
                        {"allocations_per_call", cost.per_call(cost.profile.allocations())},
                        {"functions", functions}});
    }
    return list.dump(1) + "\n";
}

/// Profiles and logs; sockets stay behind.
void keep_files(const fs::path& from, const fs::path& to) {
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        if (!entry.is_regular_file()) continue;
        const fs::path target = to / fs::relative(entry.path(), from);
        fs::create_directories(target.parent_path());
        fs::copy_file(entry.path(), target, fs::copy_options::overwrite_existing);
    }
}

void declare(CLI::App& app, Flags& flags) {
    app.add_option("--control", flags.control)->group("");
    app.add_option("--broker", flags.broker)->group("");
    app.add_option("--farm-bin", flags.farm_bin,
                   "Folder with farm-broker, farm-worker and farm in it (default: this build's)");
    app.add_option("--json", flags.json, "Write the figures to this file");
    app.add_option("--keep", flags.keep, "Leave callgrind's profiles and the logs in this folder");
    app.add_option("--calls", flags.calls, "Calls that are counted, of each row")
        ->check(CLI::Range(10, 10'000'000))
        ->capture_default_str();
    app.add_option("--bytes", flags.bytes, "Size of question and answer")->capture_default_str();
    app.add_option("--outstanding", flags.outstanding, "Calls kept open")
        ->check(CLI::Range(1, 2048))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--path", flags.path, "How the calls go")
        ->check(CLI::IsMember({"routed", "direct", "same_host"}))
        ->capture_default_str();
    app.add_option("--roles", flags.roles, "Which programs")
        ->check(CLI::IsMember({"broker", "worker", "client"}))
        ->delimiter(',')
        ->capture_default_str();
    app.add_flag("--functions", flags.lists_functions, "List the functions that cost most");
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app(
        "Instructions and allocations per routed call in broker, worker and client, counted by "
        "callgrind");
    declare(app, flags);
    CLI11_PARSE(app, argc, argv);
    if (!flags.control.empty()) return serve_client(flags);

    ScratchFolder scratch("cost");
    const auto costs = measure_all(flags, scratch.path());
    if (!flags.keep.empty()) {
        keep_files(scratch.path(), flags.keep);
    }
    if (!costs) {
        scratch.keep();
        std::fprintf(stderr, "\ncost: error: %s (logs are in %s)\n", costs.error().message.c_str(),
                     scratch.path().c_str());
        return 1;
    }
    std::printf(
        "%s\nidentity model, %zu bytes, %llu calls a row; user-space instructions of all threads.\n"
        "The counted program runs some 50 times slower than the others: with several calls open, "
        "what waits\nfor it coalesces as under full load.\n\n%s",
        machine_line().c_str(), flags.bytes, static_cast<unsigned long long>(flags.calls),
        table(*costs, flags.lists_functions).c_str());
    if (!flags.json.empty()) std::ofstream(flags.json) << json(*costs, flags);
    return 0;
}
