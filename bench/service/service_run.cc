#include "bench/service/service_run.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/farm/bench_farm.h"
#include "bench/farm/cpu_time.h"
#include "bench/farm/run_program.h"
#include "bench/service/service_caller.h"
#include "cpu_client/app/direct_rate.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr auto program_limit = std::chrono::seconds(120);
constexpr auto load_limit = std::chrono::seconds(60);

/// A farm with one worker, and this process as its client.
struct Scene {
    BenchFarm farm;
    Client client;

    double processor_s() const {
        return cpu_seconds(farm.pid("broker")) + cpu_seconds(farm.pid("worker"));
    }
};

class CaseRun {
  public:
    CaseRun(const ServiceCase& what, const ServiceRunOptions& options)
        : what_(what),
          options_(options),
          scratch_(options.scratch / "run"),
          prefix_(options.worker_cores.empty() ? std::vector<std::string>{}
                                               : on_cores(options.worker_cores)) {
        fs::create_directories(scratch_);
    }

    Result<ServiceSample> direct(const EventFolder& events, bool system_malloc) const {
        std::vector<std::string> command = prefix_;
        for (std::string word :
             {options_.programs.worker, std::string("--bench"), what_.model,
              std::string("--models"), what_.repository.string(), std::string("--bench-inputs"),
              events.path.string(), std::string("--bench-seconds"),
              fmt::format("{:g}", options_.seconds), std::string("--json"), std::string("--device"),
              options_.device, std::string("--log-level"), std::string("warning")}) {
            command.push_back(std::move(word));
        }
        if (system_malloc) command.emplace_back("--bench-system-malloc");
        const auto text = run_program(std::move(command), scratch_ / "direct.log", program_limit);
        if (!text) return tl::unexpected(text.error());
        const auto rate = parse_direct_rate(*text);
        if (!rate) return tl::unexpected(rate.error());
        return ServiceSample{rate->runs_per_s * events.rows, rate->p50_ms, rate->p99_ms,
                             rate->processor_ms_per_run / events.rows};
    }

    Result<Scene> start_farm() const {
        auto farm = BenchFarm::start({options_.programs, scratch_, prefix_, {}});
        if (!farm) return tl::unexpected(farm.error());
        const auto done = farm->start_worker(
            {"worker",
             what_.repository,
             prefix_,
             {"--only", what_.model, "--instances", std::to_string(what_.instances)},
             options_.device});
        if (!done) return tl::unexpected(done.error());
        auto client = Client::connect(farm->url());
        if (!client) return tl::unexpected(client.error());
        const auto ready = farm->wait_for(*client, {what_.model}, load_limit);
        if (!ready) return tl::unexpected(ready.error());
        return Scene{std::move(*farm), std::move(*client)};
    }

    /// `call_s` is what a call takes in direct inference.
    Result<ServiceSample> farm(Scene& scene, int clients, double call_s) {
        auto caller = ServiceCaller::make(scene.client, what_.model, what_.events.path);
        if (!caller) return tl::unexpected(caller.error());
        const auto rounds = static_cast<std::uint64_t>(clients) * fewest_rounds;
        const auto calls = static_cast<std::uint64_t>(std::ceil(options_.seconds / call_s));
        const double before = scene.processor_s();
        const auto sample = caller->run(clients, std::max(rounds, calls));
        if (!sample) return tl::unexpected(sample.error());
        const double rows = static_cast<double>(sample->calls) * what_.events.rows;
        return ServiceSample{sample->calls_per_s * what_.events.rows, sample->p50_us / 1e3,
                             sample->p99_us / 1e3, 1e3 * (scene.processor_s() - before) / rows};
    }

  private:
    /// Calls of each client at least.
    static constexpr std::uint64_t fewest_rounds = 2;

    const ServiceCase& what_;
    const ServiceRunOptions& options_;
    fs::path scratch_;
    std::vector<std::string> prefix_;
};

Result<void> measure_direct(const CaseRun& run, ServiceResult& result) {
    for (std::size_t i = 0; i < result.direct.size(); ++i) {
        const auto sample = run.direct(result.what.direct[i], false);
        if (!sample) return tl::unexpected(sample.error());
        result.direct[i].samples.push_back(*sample);
    }
    const auto plain = run.direct(result.what.direct.back(), true);
    if (!plain) return tl::unexpected(plain.error());
    result.system_malloc.samples.push_back(*plain);
    return {};
}

double call_seconds(const ServiceResult& result) {
    return result.what.events.rows / result.direct.front().samples.back().rows_per_s;
}

}  // namespace

Result<ServiceResult> run_case(const ServiceCase& what, const ServiceRunOptions& options,
                               const std::function<void(int repeat)>& said) {
    ServiceResult result{what, {}, {what.direct.back().rows, {}}, {}};
    for (const EventFolder& batch : what.direct) result.direct.push_back({batch.rows, {}});
    CaseRun run(what, options);
    auto scene = run.start_farm();
    if (!scene) return tl::unexpected(scene.error());
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
        said(repeat);
        if (const auto done = measure_direct(run, result); !done) {
            return tl::unexpected(done.error());
        }
        const double call_s = call_seconds(result);
        if (repeat == 0) {  // the worker learns how large its runs should be; not counted
            const auto warm = run.farm(*scene, what.clients.back(), call_s);
            if (!warm) return tl::unexpected(warm.error());
        }
        for (auto level = what.clients.rbegin(); level != what.clients.rend(); ++level) {
            const auto sample = run.farm(*scene, *level, call_s);
            if (!sample) return tl::unexpected(sample.error());
            result.farm[*level].push_back(*sample);
        }
    }
    return result;
}

}  // namespace farm::bench
