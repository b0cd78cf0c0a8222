#include <cstdio>
#include <memory>
#include <optional>

#include "cpu_client/app/child_farm.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/farm_ready.h"
#include "cpu_client/app/table.h"

namespace farm {

namespace {

constexpr auto look_interval = std::chrono::milliseconds(100);
constexpr auto stop_grace = std::chrono::seconds(30);

struct Flags {
    std::string models;
    std::string bind{"tcp://127.0.0.1:5600"};
    std::uint32_t workers{1};
    bool insecure{false};
    std::string device{"auto"};
};

std::vector<std::string> worker_names(std::uint32_t count) {
    std::vector<std::string> names;
    for (std::uint32_t i = 1; i <= count; ++i) names.push_back("worker-" + std::to_string(i));
    return names;
}

Result<ChildFarm> start(const Flags& flags) {
    ChildFarm::Options options;
    options.bind_url = flags.bind;
    options.models = flags.models;
    options.insecure = flags.insecure;
    options.worker_options = {"--device", flags.device};
    auto farm = ChildFarm::start(std::move(options));
    if (!farm) return farm;
    for (const std::string& name : worker_names(flags.workers)) {
        if (const auto started = farm->start_worker(name); !started) {
            return tl::unexpected(started.error());
        }
    }
    return farm;
}

void print_next_steps(const ChildFarm& farm, const StatusReport& report, bool is_default_url) {
    const std::string broker = is_default_url ? "" : " --broker " + farm.url();
    std::printf("\nThe farm is up: broker at %s, %zu workers\n", farm.url().c_str(),
                report.workers.size());
    std::string model;
    for (const ServiceStatus& service : report.services) {
        if (service.failure.empty() && model.empty()) {
            model = service.name.substr(0, service.name.find('/'));
        }
        if (!service.failure.empty()) {
            std::printf("  %s on %s did not load: %s\n", printable(service.name).c_str(),
                        printable(service.worker).c_str(), printable(service.failure).c_str());
        }
    }
    std::printf("\nIn another terminal:\n  farm models%s\n  farm status --watch%s\n",
                broker.c_str(), broker.c_str());
    if (!model.empty()) {
        std::printf("  farm bench %s --concurrency 1:8%s\n", printable(model).c_str(),
                    broker.c_str());
    }
    std::printf("\nCtrl-C drains the workers and ends all of it.\n\n");
    std::fflush(stdout);
}

/// True once the workers have said what they serve; then it has told the user.
bool tell_when_ready(const ChildFarm& farm, const Flags& flags, Client& client) {
    const auto report = client.status(look_interval);
    if (!report || !has_settled(*report, flags.workers)) return false;
    print_next_steps(farm, *report, flags.bind == Flags{}.bind);
    return true;
}

/// Waits for readiness, then for Ctrl-C. Errors: a child that ended by itself.
Result<void> attend(ChildFarm& farm, const Flags& flags, Signals& signals) {
    ConnectionFlags connection;
    connection.broker = farm.url();
    auto client = connect(connection);
    if (!client) return tl::unexpected(client.error());
    std::optional<Client> watcher = std::move(*client);
    do {
        const auto left = farm.check();
        if (!left) return tl::unexpected(left.error());
        for (const std::string& name : *left)
            std::printf("%s was drained and has left\n", name.c_str());
        std::fflush(stdout);
        if (watcher && tell_when_ready(farm, flags, *watcher)) watcher.reset();
    } while (!wait_for_stop(signals, look_interval));
    return {};
}

int run(const Flags& flags) {
    Signals signals;
    auto farm = start(flags);
    if (!farm) return report(farm.error());
    const auto attended = attend(*farm, flags, signals);
    if (attended) std::printf("draining\n");
    std::fflush(stdout);
    farm->stop(stop_grace);
    return attended ? 0 : report(attended.error());
}

}  // namespace

Command declare_up(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    CLI::App* app = tool.add_subcommand("up", "The whole farm on this machine, until Ctrl-C");
    app->add_option("--models", flags->models,
                    "Model repository: MODEL/config.pbtxt, MODEL/1/model.pt")
        ->required();
    app->add_option("--workers", flags->workers, "Workers to start")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    app->add_option("--bind", flags->bind, "Address of the broker")->capture_default_str();
    app->add_option("--device", flags->device, "Device of the workers: auto, cpu or cuda:N")
        ->capture_default_str();
    app->add_flag("--insecure", flags->insecure,
                  "Let the broker listen on the network without keys");
    app->footer(
        "Examples:\n"
        "  farm up --models data/models --workers 2\n"
        "  farm up --models DIR --bind ipc:///tmp/farm.sock");
    return {app, [flags] { return run(*flags); }};
}

}  // namespace farm
