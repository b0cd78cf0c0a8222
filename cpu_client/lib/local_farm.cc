#include "cpu_client/lib/local_farm.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "common/ops/host.h"

namespace farm {
namespace {

namespace fs = std::filesystem;
constexpr auto stop_grace = std::chrono::milliseconds(500);

bool is_program(const fs::path& path) { return ::access(path.c_str(), X_OK) == 0; }

/// A path, or the bare name for the search in PATH.
std::string find_program(const std::string& name) {
    std::string folders;
    if (const char* given = std::getenv("FARM_BIN_DIR")) folders = given;
    std::istringstream list(folders);
    for (std::string folder; std::getline(list, folder, ':');) {
        if (!folder.empty() && is_program(fs::path(folder) / name)) return fs::path(folder) / name;
    }
    const fs::path beside = fs::path(executable_folder()) / name;
    return is_program(beside) ? beside.string() : name;
}

Result<fs::path> make_private_folder() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    std::error_code problem;
    fs::path parent = runtime != nullptr ? fs::path(runtime) : fs::temp_directory_path(problem);
    if (::access(parent.c_str(), W_OK) != 0) parent = "/tmp";
    std::string name = (parent / "eventfarm-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {  // mode 0700
        return fail(ErrorCode::io, "cannot make a folder in " + parent.string() + ": " +
                                       std::error_code(errno, std::generic_category()).message());
    }
    return fs::path(name);
}

Result<std::vector<std::string>> names_in(const fs::path& models) {
    std::error_code problem;
    std::vector<std::string> names;
    for (fs::directory_iterator it(models, problem), end; !problem && it != end;
         it.increment(problem)) {
        std::error_code ignored;
        if (it->is_directory(ignored)) names.push_back(it->path().filename());
    }
    if (problem) {
        return fail(ErrorCode::not_found, "cannot read the model repository " + models.string() +
                                              ": " + problem.message());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string last_lines(const fs::path& file) {
    std::ifstream in(file);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    constexpr std::size_t shown_bytes = 400;
    if (text.size() > shown_bytes) text.erase(0, text.size() - shown_bytes);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace

LocalFarm::LocalFarm(fs::path folder)
    : folder_(std::move(folder)), url_("ipc://" + (folder_ / "broker.sock").string()) {}

Result<std::unique_ptr<LocalFarm>> LocalFarm::start(const LocalFarmOptions& options) {
    auto names = names_in(options.models);
    if (!names) return tl::unexpected<Error>(names.error());
    const auto folder = make_private_folder();
    if (!folder) return tl::unexpected<Error>(folder.error());
    std::unique_ptr<LocalFarm> farm(new LocalFarm(*folder));
    farm->model_names_ = std::move(*names);
    auto broker = farm->run(farm->broker_, "farm-broker", {"--bind", farm->url_});
    if (!broker) return tl::unexpected<Error>(broker.error());
    std::vector<std::string> arguments{"--broker", farm->url_, "--models", options.models.string()};
    arguments.insert(arguments.end(), options.worker_arguments.begin(),
                     options.worker_arguments.end());
    auto worker = farm->run(farm->worker_, "farm-worker", std::move(arguments));
    if (!worker) return tl::unexpected<Error>(worker.error());
    return farm;
}

Result<void> LocalFarm::run(std::optional<ChildProcess>& child, const std::string& program,
                            std::vector<std::string> arguments) {
    SpawnOptions options;
    options.arguments = std::move(arguments);
    options.arguments.insert(options.arguments.begin(), find_program(program));
    options.stdout_file = (folder_ / (program.substr(5) + ".log")).string();
    options.stderr_file = options.stdout_file;
    options.own_group = true;
    auto spawned = ChildProcess::spawn(options);
    if (!spawned) {
        return fail(spawned.error().code, "cannot start " + program + " (" +
                                              spawned.error().message +
                                              "): put it into PATH or name its folder in "
                                              "FARM_BIN_DIR");
    }
    child = std::move(*spawned);
    return {};
}

LocalFarm::~LocalFarm() {
    if (worker_) worker_->stop(stop_grace);
    if (broker_) broker_->stop(stop_grace);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

std::optional<Error> LocalFarm::failure() {
    const auto ended = [this](std::optional<ChildProcess>& child,
                              const std::string& name) -> std::optional<Error> {
        if (!child || child->running()) return std::nullopt;
        return Error{ErrorCode::unavailable, "the private farm-" + name + " ended with " +
                                                 to_string(*child->status()) + ": " +
                                                 last_lines(folder_ / (name + ".log"))};
    };
    auto problem = ended(broker_, "broker");
    return problem ? problem : ended(worker_, "worker");
}

}  // namespace farm
