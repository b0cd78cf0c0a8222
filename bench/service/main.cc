#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "bench/farm/machine.h"
#include "bench/farm/run_program.h"
#include "bench/farm/scratch_folder.h"
#include "bench/service/cnn_model.h"
#include "bench/service/service_models.h"
#include "bench/service/service_run.h"
#include "common/core/clock.h"

namespace {

using namespace farm;
using namespace farm::bench;
namespace fs = std::filesystem;

struct Flags {
    std::string farm_bin;
    std::string json;
    std::string goals_json;
    std::string data{"data"};
    std::string particlenet;
    std::string client_cores;
    std::vector<std::string> models{"gnn", "cnn", "particlenet", "tracks"};
    std::vector<std::string> cases;
    ServiceRunOptions run;
    bool anywhere{false};
};

void declare(CLI::App& app, Flags& flags) {
    app.add_option("--farm-bin", flags.farm_bin,
                   "Folder with farm-broker, farm-worker and farm in it (default: this build's)");
    app.add_option("--json", flags.json, "Write the figures to this file");
    app.add_option("--goals-json", flags.goals_json, "Write the goals and what was seen");
    app.add_option("--data", flags.data, "The project's data folder")->capture_default_str();
    app.add_option("--particlenet", flags.particlenet,
                   "Folder of the CMS model's repository entry (particlenet_AK4_PT of "
                   "cms-data/RecoBTag-Combined, which is not ours to copy)")
        ->envname("FARM_PARTICLENET");
    app.add_option("--models", flags.models, "Which of them")
        ->check(CLI::IsMember({"gnn", "cnn", "particlenet", "tracks"}))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--cases", flags.cases, "Only cases whose name begins like this, or NAME:BATCH")
        ->delimiter(',');
    app.add_option("--device", flags.run.device,
                   "cpu or cuda:N, with the programs of a build that has CUDA (--farm-bin)")
        ->capture_default_str();
    app.add_option("--worker-cores", flags.run.worker_cores,
                   "Cores of broker, worker and direct inference (default: 0)");
    app.add_option("--client-cores", flags.client_cores, "Cores of the clients (default: 1)");
    app.add_flag("--anywhere", flags.anywhere, "Keep nothing to its cores");
    app.add_option("--repeats", flags.run.repeats, "Measurements of each figure")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--seconds", flags.run.seconds,
                   "Length of one measurement; longer where each client could not make two calls")
        ->check(CLI::Range(0.05, 600.0))
        ->capture_default_str();
}

bool wanted(const ServiceCase& what, const std::vector<std::string>& names) {
    const std::string with_batch = what.name + ":" + std::to_string(what.events.rows);
    return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
               return name.find(':') == std::string::npos ? what.name.starts_with(name)
                                                          : with_batch == name;
           });
}

/// Where the real model lies; empty, with a word about it, when it is not there.
fs::path find_particlenet(const std::string& given) {
    for (const fs::path& entry : {fs::path(given), fs::path(given) / "particlenet_AK4_PT"}) {
        if (!given.empty() && fs::exists(entry / "1/model.pt")) return entry;
    }
    std::fprintf(stderr,
                 "service: without ParticleNet: no 1/model.pt in --particlenet '%s' (fetch "
                 "models/particlenet_AK4_PT of github.com/cms-data/RecoBTag-Combined)\n",
                 given.c_str());
    return {};
}

Result<std::vector<ServiceCase>> make_cases(const Flags& flags, const fs::path& scratch) {
    ServiceSources sources{fs::absolute(flags.data), {}, scratch};
    std::vector<ServiceCase> cases;
    for (const std::string& model : flags.models) {
        if (model == "particlenet") {
            sources.particlenet = find_particlenet(flags.particlenet);
            if (sources.particlenet.empty()) continue;
        }
        auto made = model == "gnn"      ? gnn_cases(sources)
                    : model == "cnn"    ? cnn_cases(sources)
                    : model == "tracks" ? tracks_cases(sources)
                                        : particlenet_cases(sources);
        if (!made) return tl::unexpected(made.error());
        for (ServiceCase& one : *made) {
            if (wanted(one, flags.cases)) cases.push_back(std::move(one));
        }
    }
    if (cases.empty()) return fail(ErrorCode::invalid, "there is nothing to measure");
    return cases;
}

/// The clients are threads of this process, which goes to their cores.
Result<void> place(Flags& flags) {
    if (flags.anywhere) return {};
    if (std::thread::hardware_concurrency() < 2) {
        std::fprintf(stderr, "service: one core only: clients share it with the worker\n");
        return {};
    }
    if (flags.run.worker_cores.empty()) flags.run.worker_cores = "0";
    if (flags.client_cores.empty()) flags.client_cores = "1";
    const auto moved =
        run_program({"taskset", "-cp", flags.client_cores, std::to_string(::getpid())},
                    flags.run.scratch / "taskset.log", std::chrono::seconds(10));
    if (!moved) return tl::unexpected(moved.error());
    return {};
}

/// Where the bench is, on one line of a terminal, or a line for each case elsewhere.
class Progress {
  public:
    Progress(std::size_t cases, int repeats) : cases_(cases), repeats_(repeats) {}

    void say(std::size_t index, const ServiceCase& what, int repeat) const {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(steady_now() - begin_).count();
        const std::string text = fmt::format("[{}/{}] {} B={}: repeat {} of {}, {}:{:02} so far",
                                             index + 1, cases_, what.name, what.events.rows,
                                             repeat + 1, repeats_, seconds / 60, seconds % 60);
        if (is_terminal_) {
            std::fprintf(stderr, "\r%-78s", text.c_str());
        } else if (repeat == 0) {
            std::fprintf(stderr, "%s\n", text.c_str());
        }
    }

  private:
    std::size_t cases_;
    int repeats_;
    bool is_terminal_{::isatty(STDERR_FILENO) == 1};
    TimePoint begin_{steady_now()};
};

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app(
        "Models served by a farm against direct inference in one process, on the same core");
    declare(app, flags);
    CLI11_PARSE(app, argc, argv);
    ScratchFolder scratch("service");
    flags.run.scratch = scratch.path();
    if (const auto placed = place(flags); !placed) {
        std::fprintf(stderr, "service: error: %s\n", placed.error().message.c_str());
        return 1;
    }
    const auto programs = find_programs(flags.farm_bin);
    const auto cases = programs
                           ? make_cases(flags, scratch.path())
                           : Result<std::vector<ServiceCase>>(tl::unexpected(programs.error()));
    if (!cases) {
        std::fprintf(stderr, "service: error: %s\n", cases.error().message.c_str());
        return 1;
    }
    flags.run.programs = *programs;

    bool failed = false;
    std::vector<ServiceResult> results;
    const Progress progress(cases->size(), flags.run.repeats);
    for (std::size_t i = 0; i < cases->size(); ++i) {
        const ServiceCase& what = (*cases)[i];
        auto result = run_case(what, flags.run, [&](int repeat) { progress.say(i, what, repeat); });
        if (result) {
            results.push_back(std::move(*result));
            continue;
        }
        failed = true;  // the others are still worth having
        scratch.keep();
        std::fprintf(stderr, "\nservice: error: %s B=%u: %s (logs are in %s)\n", what.name.c_str(),
                     what.events.rows, result.error().message.c_str(), scratch.path().c_str());
    }
    std::fprintf(stderr, "\n");
    const auto goals = service_goals(results);
    std::printf(
        "%s, %s\nbroker, worker and direct inference on core %s, clients on %s; medians of %d x "
        "%.1f s "
        "in turns\n\n%s\n%s",
        machine_line().c_str(), libtorch_version().c_str(), flags.run.worker_cores.c_str(),
        flags.client_cores.c_str(), flags.run.repeats, flags.run.seconds,
        service_table(results).c_str(), goal_table(goals).c_str());
    if (!flags.json.empty()) std::ofstream(flags.json) << service_json(results);
    if (!flags.goals_json.empty()) std::ofstream(flags.goals_json) << goal_json(goals);
    return failed ? 1 : 0;
}
