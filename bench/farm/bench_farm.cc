#include "bench/farm/bench_farm.h"

#include <csignal>
#include <thread>

#include "bench/farm/free_port.h"
#include "cpu_client/app/farm_ready.h"

namespace farm::bench {
namespace {

constexpr auto ask_again = std::chrono::milliseconds(50);
constexpr auto stop_grace = std::chrono::seconds(20);  // a program under valgrind takes some

std::string free_url(const std::string& address) {
    return "tcp://" + address + ":" + std::to_string(free_port());
}

}  // namespace

BenchFarm::BenchFarm(Options options)
    : options_(std::move(options)), url_(free_url(options_.address)) {}

Result<BenchFarm> BenchFarm::start(Options options) {
    BenchFarm farm(std::move(options));
    std::vector<std::string> command{farm.options_.programs.broker, "--bind", farm.url_,
                                     "--bulk-bind", free_url(farm.options_.address)};
    command.insert(command.end(), farm.options_.broker_options.begin(),
                   farm.options_.broker_options.end());
    const auto done = farm.spawn("broker", farm.options_.broker_prefix, std::move(command));
    if (!done) return tl::unexpected(done.error());
    return farm;
}

Result<void> BenchFarm::start_worker(const Worker& worker) {
    std::vector<std::string> command{options_.programs.worker,
                                     "--broker",
                                     url_,
                                     "--models",
                                     worker.models.string(),
                                     "--name",
                                     worker.name,
                                     "--device",
                                     worker.device};
    command.insert(command.end(), worker.options.begin(), worker.options.end());
    return spawn(worker.name, worker.prefix, std::move(command));
}

Result<void> BenchFarm::spawn(const std::string& name, const std::vector<std::string>& prefix,
                              std::vector<std::string> command) {
    command.insert(command.begin(), prefix.begin(), prefix.end());
    std::filesystem::create_directories(options_.scratch);
    auto child = ChildProcess::spawn({std::move(command), {}, log(name), log(name), true});
    if (!child) return tl::unexpected(child.error());
    children_.insert_or_assign(name, std::move(*child));
    return {};
}

Result<void> BenchFarm::check() {
    for (auto& [name, child] : children_) {
        if (child.running()) continue;
        return fail(ErrorCode::io, "'" + name + "' has ended (" + to_string(*child.status()) +
                                       "): see " + log(name));
    }
    return {};
}

Result<bool> BenchFarm::serves_all(const StatusReport& report,
                                   const std::vector<std::string>& models) const {
    for (const std::string& model : models) {
        bool is_served = false;
        for (const auto& [name, child] : children_) {
            is_served = is_served || serves(report, name, model);
            if (const std::string why = load_failure(report, name, model); !why.empty()) {
                return fail(ErrorCode::invalid, "model '" + model + "' does not load: " + why);
            }
        }
        if (!is_served) return false;
    }
    return true;
}

Result<void> BenchFarm::wait_for(Client& client, const std::vector<std::string>& models,
                                 std::chrono::seconds timeout) {
    const TimePoint until = steady_now() + timeout;
    std::string missing = "the broker does not answer";
    while (steady_now() < until) {
        if (const auto alive = check(); !alive) return alive;
        if (const auto report = client.status(std::chrono::seconds(2))) {
            const auto ready = serves_all(*report, models);
            if (!ready) return tl::unexpected(ready.error());
            if (*ready) return {};
            missing = "not all models are served";
        }
        std::this_thread::sleep_for(ask_again);
    }
    return fail(ErrorCode::unavailable, missing + " after " + std::to_string(timeout.count()) +
                                            " s: see the logs in " + options_.scratch.string());
}

void BenchFarm::stop() {
    for (auto& [name, child] : children_) {
        if (name != "broker") child.stop(stop_grace);
    }
    if (const auto broker = children_.find("broker"); broker != children_.end()) {
        broker->second.stop(stop_grace);
    }
    children_.clear();
}

}  // namespace farm::bench
