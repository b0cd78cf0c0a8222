#include <cstdio>
#include <fstream>
#include <map>
#include <optional>

#include <CLI/CLI.hpp>

#include "bench/farm/load_process.h"
#include "bench/farm/machine.h"
#include "bench/farm/scratch_folder.h"
#include "bench/peers/echo_goals.h"
#include "bench/peers/echo_plan.h"
#include "bench/peers/grpc_server.h"
#include "bench/peers/path_list.h"
#include "bench/peers/row.h"
#include "bench/peers/triton_server.h"
#include "bench/peers/zmq_server.h"
#include "common/ops/host.h"

namespace {

using namespace farm;
using namespace farm::bench;
namespace fs = std::filesystem;

constexpr std::size_t mb = 1 << 20;
constexpr double warm_up_share = 0.3;

struct Flags {
    std::string serve;
    std::string url;
    std::string backend_url;
    std::string drive;
    std::string control;
    PathOptions path;
    std::string triton{"off"};
    std::string json;
    std::string goals_json;
    std::string machine_json;
    int repeats{5};
    double seconds{1};
    std::vector<std::size_t> bytes{1024, 64 * 1024, mb, 16 * mb, 100 * mb};
    std::vector<int> outstanding{1, 8, 64};
    std::vector<std::string> paths;
};

std::string own_program() { return fs::read_symlink("/proc/self/exe").string(); }

/// The measuring process of one path, until the parent ends.
int drive(const Flags& flags) {
    const PathEntry* entry = find_path(flags.drive);
    if (entry == nullptr) return 2;
    auto path = entry->make(flags.path);
    if (!path) return serve_loads(flags.control, tl::unexpected(path.error()));
    return serve_loads(flags.control,
                       RunLoad([&](const Load& load) { return (*path)->run(load); }));
}

Result<LoadProcess> start_path(const std::string& name, const Flags& flags,
                               const TritonServer* triton, const fs::path& scratch) {
    const fs::path own = scratch / name;
    fs::create_directories(own);
    const std::string control = "ipc://" + (own / "control").string();
    std::vector<std::string> command{own_program(), "--drive",    name,
                                     "--control",   control,      "--scratch",
                                     own.string(),  "--farm-bin", flags.path.farm_bin};
    if (triton != nullptr) {
        command.insert(command.end(), {"--triton-grpc", triton->grpc_address(), "--triton-http",
                                       triton->http_address()});
    }
    auto process = LoadProcess::start(control, command, {});
    if (process) return process;
    return fail(process.error().code, name + ": " + process.error().message);
}

/// The paths to measure: those asked for, or all; without a Triton server not its paths.
Result<std::vector<std::string>> wanted_paths(const Flags& flags, bool has_triton) {
    std::vector<std::string> wanted;
    for (const std::string& name : flags.paths) {
        const PathEntry* entry = find_path(name);
        if (entry == nullptr) {
            return fail(ErrorCode::invalid,
                        "--paths: '" + name + "' is not known (possible: " + path_names() + ")");
        }
        if (entry->needs_triton && !has_triton) {
            return fail(ErrorCode::invalid, "--paths: '" + name + "' needs --triton FOLDER");
        }
        wanted.push_back(name);
    }
    if (!wanted.empty()) return wanted;
    for (const PathEntry& entry : path_list()) {
        if (has_triton || !entry.needs_triton) wanted.emplace_back(entry.name);
    }
    return wanted;
}

/// As in the middle of a long run: others had their turns since this path was last used, so a part
/// that is not counted brings back connections' windows, leases and caches.
Result<Sample> measure(const Load& load, LoadProcess& process) {
    Load warm_up = load;
    warm_up.seconds *= warm_up_share;
    if (auto done = process.run(warm_up); !done) return done;
    return process.run(load);
}

Result<void> measure_round(const Round& round, std::map<std::string, LoadProcess>& processes,
                           int repeats, std::vector<Row>& rows) {
    const std::size_t first = rows.size();
    for (const std::string& path : round.paths) rows.push_back({path, round.load, {}});
    for (int repeat = 0; repeat < repeats; ++repeat) {
        for (std::size_t i = 0; i < round.paths.size(); ++i) {
            const auto sample = measure(round.load, processes.at(round.paths[i]));
            if (!sample || sample->calls == 0) {
                return fail(ErrorCode::io, round.paths[i] + ": " +
                                               (sample ? "no call ended" : sample.error().message));
            }
            rows[first + i].samples.push_back(*sample);
        }
        std::fprintf(stderr, "\r%8s, %2d open: repeat %d of %d ",
                     bytes_text(round.load.bytes).c_str(), round.load.outstanding, repeat + 1,
                     repeats);
    }
    return {};
}

Result<std::vector<Row>> measure_all(const Flags& flags, const fs::path& scratch) {
    std::optional<TritonServer> triton;
    if (flags.triton != "off") {
        auto server = TritonServer::start(flags.triton, scratch / "triton");
        if (!server) return tl::unexpected(server.error());
        triton = std::move(*server);
    } else {
        std::fprintf(stderr, "peers: without Triton's paths (no --triton FOLDER)\n");
    }
    const auto paths = wanted_paths(flags, triton.has_value());
    if (!paths) return tl::unexpected(paths.error());
    std::map<std::string, LoadProcess> processes;
    for (const std::string& name : *paths) {
        auto process = start_path(name, flags, triton ? &*triton : nullptr, scratch);
        if (!process) return tl::unexpected(process.error());
        processes.emplace(name, std::move(*process));
    }
    std::vector<Row> rows;
    const bool any_size = !flags.paths.empty();
    const auto is_for = [&](const std::string& path, std::size_t bytes) {
        const PathEntry* entry = find_path(path);
        return any_size || (bytes >= entry->least_bytes && bytes <= entry->most_bytes);
    };
    for (const Round& round :
         plan_rounds({*paths, flags.bytes, flags.outstanding, flags.seconds, is_for})) {
        const auto done = measure_round(round, processes, flags.repeats, rows);
        if (!done) return tl::unexpected(done.error());
    }
    std::fprintf(stderr, "\n");
    if (rows.empty()) {
        return fail(ErrorCode::invalid, "none of the paths is for these sizes: give --paths too");
    }
    return rows;
}

void declare(CLI::App& app, Flags& flags) {
    for (auto& [name, value] : std::initializer_list<std::pair<const char*, std::string*>>{
             {"--serve", &flags.serve},
             {"--url", &flags.url},
             {"--backend-url", &flags.backend_url},
             {"--drive", &flags.drive},
             {"--control", &flags.control},
             {"--scratch", &flags.path.scratch},
             {"--triton-grpc", &flags.path.triton_grpc},
             {"--triton-http", &flags.path.triton_http}}) {
        app.add_option(name, *value)->group("");  // for the processes that it starts
    }
    app.add_option("--farm-bin", flags.path.farm_bin,
                   "Folder with farm-broker and farm-worker in it (default: this build's)");
    app.add_option("--triton", flags.triton,
                   "Folder of the unpacked PyPI package nvidia-pytriton, or off (./dev bench peers "
                   "fetches and gives it)")
        ->capture_default_str();
    app.add_option("--json", flags.json, "Write the figures to this file");
    app.add_option("--goals-json", flags.goals_json, "Write the goals and what was seen");
    app.add_option("--machine-json", flags.machine_json, "Write what it was measured on");
    app.add_option("--repeats", flags.repeats, "Measurements of each row")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--seconds", flags.seconds, "Length of one measurement")
        ->check(CLI::Range(0.01, 600.0))
        ->capture_default_str();
    app.add_option("--bytes", flags.bytes, "Sizes of question and answer")
        ->check(CLI::Range(std::size_t{1}, most_open_bytes))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--outstanding", flags.outstanding,
                   "Calls kept open (left out where that is more than 256 MB at once)")
        ->check(CLI::Range(1, 2048))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--paths", flags.paths,
                   "Of " + path_names() + "; those named are measured at every size")
        ->delimiter(',');
}

int serve(const Flags& flags) {
    if (flags.serve == "zmq") return serve_zmq_echo(flags.url, false);
    if (flags.serve == "zmq-worker") return serve_zmq_echo(flags.url, true);
    if (flags.serve == "zmq-proxy") return serve_zmq_proxy(flags.url, flags.backend_url);
    return serve_grpc(flags.url);
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app("Echoes tensors through eventfarm and its peers, in turns, and prints the ratios");
    declare(app, flags);
    CLI11_PARSE(app, argc, argv);
    flags.path.executable = own_program();
    if (!flags.serve.empty()) return serve(flags);
    if (!flags.drive.empty()) return drive(flags);

    ScratchFolder scratch("peers");
    const auto rows = measure_all(flags, scratch.path());
    if (!rows) {
        scratch.keep();
        std::fprintf(stderr, "\npeers: error: %s (logs are in %s)\n", rows.error().message.c_str(),
                     scratch.path().c_str());
        return 1;
    }
    const auto goals = echo_goals(*rows);
    std::printf("%s\nloopback, medians of %d x %.1f s, all paths of a load in turns\n%s\n%s",
                machine_line().c_str(), flags.repeats, flags.seconds, row_table(*rows).c_str(),
                goal_table(goals).c_str());
    if (!flags.json.empty()) std::ofstream(flags.json) << row_json(*rows);
    if (!flags.goals_json.empty()) std::ofstream(flags.goals_json) << goal_json(goals);
    if (!flags.machine_json.empty()) std::ofstream(flags.machine_json) << machine_json();
    return 0;
}
