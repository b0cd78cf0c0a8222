#include "cpu_client/app/child_farm.h"

#include <csignal>
#include <cstdlib>

#include <array>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include "common/net/url.h"
#include "common/ops/host.h"

namespace farm {

namespace {

namespace fs = std::filesystem;

/// Folders of a build tree, relative to cpu_client/app.
constexpr std::array<std::string_view, 2> build_folders{"../../broker/app", "../../gpu_worker/app"};

bool is_program(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

std::vector<fs::path> own_folders() {
    const fs::path own = executable_folder();
    if (own.empty()) return {};
    std::vector<fs::path> folders{own};
    std::error_code ignored;
    for (const std::string_view folder : build_folders) {
        if (fs::is_directory(own / folder, ignored))
            folders.push_back((own / folder).lexically_normal());
    }
    return folders;
}

std::vector<fs::path> path_folders() {
    std::vector<fs::path> folders;
    const char* path = std::getenv("PATH");
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
        const auto colon = rest.find(':');
        if (colon != 0) folders.emplace_back(rest.substr(0, colon));
        rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    }
    return folders;
}

Result<std::string> connect_url(const std::string& bind_url) {
    auto url = parse_bind_url(bind_url);
    if (!url) return tl::unexpected(url.error());
    if (url->scheme == Url::Scheme::tcp && url->port == 0) {
        return fail(ErrorCode::invalid, "--bind '" + bind_url +
                                            "' has no port (clients must know it): give for "
                                            "instance tcp://127.0.0.1:5600");
    }
    if (url->scheme == Url::Scheme::ipc && url->path == "*") {
        return fail(ErrorCode::invalid, "--bind '" + bind_url +
                                            "' has no path (clients must know it): give for "
                                            "instance ipc:///tmp/farm.sock");
    }
    if (url->any_host()) url->host = "127.0.0.1";
    return url->text();
}

}  // namespace

std::string program_folders() {
    std::string text;
    for (const fs::path& folder : own_folders())
        text += (text.empty() ? "" : ":") + folder.string();
    return text;
}

Result<std::string> find_program(const std::string& name) {
    for (const auto& folders : {own_folders(), path_folders()}) {
        for (const fs::path& folder : folders) {
            if (is_program(folder / name)) return (folder / name).string();
        }
    }
    return fail(ErrorCode::not_found, "program '" + name + "' is neither beside this one ('" +
                                          executable_folder() +
                                          "') nor in PATH: build or install it");
}

Result<ChildFarm> ChildFarm::start(Options options) {
    auto url = connect_url(options.bind_url);
    if (!url) return tl::unexpected(url.error());
    auto broker_program = find_program("farm-broker");
    if (!broker_program) return tl::unexpected(broker_program.error());
    auto worker_program = find_program("farm-worker");
    if (!worker_program) return tl::unexpected(worker_program.error());
    ChildFarm farm(std::move(options), std::move(*url), std::move(*worker_program));
    std::vector<std::string> arguments{*broker_program, "--bind", farm.options_.bind_url, "--name",
                                       "broker"};
    if (farm.options_.insecure) arguments.emplace_back("--insecure");
    arguments.insert(arguments.end(), farm.options_.broker_options.begin(),
                     farm.options_.broker_options.end());
    auto broker = farm.spawn("broker", std::move(arguments));
    if (!broker) return tl::unexpected(broker.error());
    farm.broker_ = std::move(*broker);
    return farm;
}

Result<void> ChildFarm::start_worker(const std::string& name) {
    std::vector<std::string> arguments{worker_program_,          "--broker", url_, "--models",
                                       options_.models.string(), "--name",   name};
    arguments.insert(arguments.end(), options_.worker_options.begin(),
                     options_.worker_options.end());
    auto worker = spawn(name, std::move(arguments));
    if (!worker) return tl::unexpected(worker.error());
    workers_.insert_or_assign(name, std::move(*worker));
    return {};
}

void ChildFarm::kill_worker(const std::string& name) {
    const auto found = workers_.find(name);
    if (found == workers_.end()) return;
    found->second.signal(SIGKILL);
    workers_.erase(found);
}

Result<std::vector<std::string>> ChildFarm::check() {
    if (broker_ && !broker_->running()) {
        return tl::unexpected(ended("farm-broker", *broker_->status()));
    }
    std::vector<std::string> left;
    for (auto& [name, worker] : workers_) {
        if (worker.running()) continue;
        if (!worker.status()->ok()) return tl::unexpected(ended(name, *worker.status()));
        left.push_back(name);
    }
    for (const std::string& name : left) workers_.erase(name);
    return left;
}

void ChildFarm::stop(std::chrono::milliseconds grace) {
    for (auto& [name, worker] : workers_) worker.signal(SIGTERM);  // they drain side by side
    for (auto& [name, worker] : workers_) {
        if (!worker.wait(grace)) worker.stop(std::chrono::milliseconds(0));
    }
    workers_.clear();
    if (broker_) broker_->stop(grace);
    broker_.reset();
}

Result<ChildProcess> ChildFarm::spawn(const std::string& name,
                                      std::vector<std::string> arguments) const {
    SpawnOptions spawn;
    spawn.arguments = std::move(arguments);
    spawn.own_group = true;
    if (!options_.log_folder.empty()) {
        spawn.stdout_file = spawn.stderr_file = (options_.log_folder / (name + ".log")).string();
    }
    return ChildProcess::spawn(spawn);
}

Error ChildFarm::ended(const std::string& name, ExitStatus status) const {
    return {ErrorCode::io,
            "'" + name + "' has ended (" + to_string(status) + "): " +
                (options_.log_folder.empty() ? "see what it said above"
                                             : "see its log in " + options_.log_folder.string())};
}

}  // namespace farm
