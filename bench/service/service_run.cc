#include "bench/service/service_run.h"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/farm/bench_farm.h"
#include "bench/farm/run_program.h"
#include "cpu_client/app/direct_rate.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr auto program_limit = std::chrono::seconds(900);
constexpr auto load_limit = std::chrono::seconds(120);
/// farm bench judges by three windows; the first of four may still be warming up.
constexpr int window_count = 4;

std::vector<std::string> pinned(const std::string& cores, std::vector<std::string> command) {
    if (cores.empty()) return command;
    std::vector<std::string> prefix = on_cores(cores);
    command.insert(command.begin(), prefix.begin(), prefix.end());
    return command;
}

class CaseRun {
  public:
    CaseRun(const ServiceCase& what, const ServiceRunOptions& options)
        : what_(what), options_(options), scratch_(options.scratch / "run") {
        fs::create_directories(scratch_);
    }

    Result<ServiceSample> direct(const EventFolder& events, bool system_malloc) const {
        std::vector<std::string> command{options_.programs.worker,
                                         "--bench",
                                         what_.model,
                                         "--models",
                                         what_.repository.string(),
                                         "--bench-inputs",
                                         events.path.string(),
                                         "--bench-seconds",
                                         fmt::format("{:g}", options_.seconds),
                                         "--json",
                                         "--device",
                                         "cpu",
                                         "--log-level",
                                         "warning"};
        if (system_malloc) command.emplace_back("--bench-system-malloc");
        const auto text = run_program(pinned(options_.worker_cores, std::move(command)),
                                      scratch_ / "direct.log", program_limit);
        if (!text) return tl::unexpected(text.error());
        const auto rate = parse_direct_rate(*text);
        if (!rate) return tl::unexpected(rate.error());
        return ServiceSample{rate->runs_per_s * events.rows, rate->p50_ms, rate->p99_ms};
    }

    Result<BenchFarm> start_farm() const {
        const std::vector<std::string> prefix = pinned(options_.worker_cores, {});
        auto farm = BenchFarm::start({options_.programs, scratch_, prefix, {}});
        if (!farm) return farm;
        const auto done = farm->start_worker(
            {"worker",
             what_.repository,
             prefix,
             {"--only", what_.model, "--instances", std::to_string(what_.instances)}});
        if (!done) return tl::unexpected(done.error());
        auto client = Client::connect(farm->url());
        if (!client) return tl::unexpected(client.error());
        const auto ready = farm->wait_for(*client, {what_.model}, load_limit);
        if (!ready) return tl::unexpected(ready.error());
        return farm;
    }

    /// By the calls kept open; `call_s` is what one takes in direct inference.
    Result<std::map<int, ServiceSample>> farm(const BenchFarm& farm, double call_s) const {
        const std::string json = (scratch_ / "farm.json").string();
        fs::remove(json);
        // farm bench waits ten windows at most for its least number of calls, and with many open
        // the first one may end with the last.
        const double window_s =
            std::max({options_.seconds / 3, 1.5 * call_s, call_s * most_clients() / 4});
        const int window_ms = std::max(10, static_cast<int>(window_s * 1000));
        const auto text = run_program(
            pinned(options_.client_cores,
                   {options_.programs.tool, "bench", what_.model, "--broker", farm.url(),
                    "--concurrency", what_.clients, "--events", what_.events.path.string(),
                    "--window-ms", std::to_string(window_ms), "--max-windows",
                    std::to_string(window_count), "--deadline", "600", "--json", json}),
            scratch_ / "client.log", program_limit);
        if (!text) return tl::unexpected(text.error());
        return read_levels(json);
    }

  private:
    /// "16" and "1:16" are 16.
    int most_clients() const {
        return std::stoi(what_.clients.substr(what_.clients.rfind(':') + 1));
    }

    Result<std::map<int, ServiceSample>> read_levels(const std::string& file) const {
        std::map<int, ServiceSample> samples;
        try {
            const auto report = nlohmann::json::parse(std::ifstream(file));
            for (const auto& level : report.at("levels")) {
                samples[static_cast<int>(level.at("level").get<double>())] = {
                    level.at("calls_per_s").get<double>() * what_.events.rows,
                    level.at("p50_ms").get<double>(), level.at("p99_ms").get<double>()};
            }
        } catch (const nlohmann::json::exception& error) {
            return fail(ErrorCode::internal, "farm bench wrote no report that can be read: " +
                                                 std::string(error.what()));
        }
        if (samples.empty()) return fail(ErrorCode::io, "farm bench measured nothing");
        return samples;
    }

    const ServiceCase& what_;
    const ServiceRunOptions& options_;
    fs::path scratch_;
};

}  // namespace

Result<ServiceResult> run_case(const ServiceCase& what, const ServiceRunOptions& options,
                               const std::function<void(const std::string&)>& said) {
    ServiceResult result{what, {}, {what.direct.back().rows, {}}, {}};
    for (const EventFolder& batch : what.direct) result.direct.push_back({batch.rows, {}});
    const CaseRun run(what, options);
    auto farm = run.start_farm();
    if (!farm) return tl::unexpected(farm.error());
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
        said(fmt::format("{} B={}: repeat {} of {}", what.name, what.events.rows, repeat + 1,
                         options.repeats));
        for (std::size_t i = 0; i < what.direct.size(); ++i) {
            const auto sample = run.direct(what.direct[i], false);
            if (!sample) return tl::unexpected(sample.error());
            result.direct[i].samples.push_back(*sample);
        }
        const auto plain = run.direct(what.direct.back(), true);
        if (!plain) return tl::unexpected(plain.error());
        result.system_malloc.samples.push_back(*plain);
        const double rows_per_s = result.direct.front().samples.back().rows_per_s;
        const auto levels = run.farm(*farm, what.events.rows / rows_per_s);
        if (!levels) return tl::unexpected(levels.error());
        for (const auto& [clients, sample] : *levels) result.farm[clients].push_back(sample);
    }
    return result;
}

}  // namespace farm::bench
