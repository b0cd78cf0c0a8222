#include "bench/cost/callgrind.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

#include "common/ops/process.h"

namespace farm::bench {
namespace {

namespace fs = std::filesystem;

constexpr auto control_limit = std::chrono::seconds(60);

Result<void> run(std::vector<std::string> command, const std::string& log) {
    const std::string name = command.front();
    auto child = ChildProcess::spawn({std::move(command), {}, log, log, true});
    if (!child) return tl::unexpected(child.error());
    const auto status = child->wait(control_limit);
    if (!status) return fail(ErrorCode::io, "'" + name + "' does not end: see " + log);
    if (status->ok()) return {};
    return fail(ErrorCode::io, "'" + name + "' failed (" + to_string(*status) + "): see " + log);
}

std::string read_all(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

std::vector<std::string> Callgrind::prefix() const {
    return {"valgrind", "--tool=callgrind", "--instr-atstart=no",
            "--log-file=" + (folder_ / "valgrind.log").string(),
            "--callgrind-out-file=" + (folder_ / "callgrind.out").string()};
}

Result<void> Callgrind::available() {
    for (const char* program : {"valgrind", "callgrind_control"}) {
        const auto found = run({program, "--version"}, "/dev/null");
        if (!found) {
            return fail(ErrorCode::not_found,
                        std::string(program) + " is not there: install the package valgrind");
        }
    }
    return {};
}

Result<void> Callgrind::control(const std::vector<std::string>& arguments, pid_t pid) {
    std::vector<std::string> command{"callgrind_control"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.push_back(std::to_string(pid));
    return run(std::move(command), (folder_ / "control.log").string());
}

Result<void> Callgrind::start(pid_t pid) {
    if (const auto done = control({"--zero"}, pid); !done) return done;
    return control({"--instr=on"}, pid);
}

Result<CallgrindProfile> Callgrind::finish(pid_t pid) {
    if (const auto done = control({"--instr=off"}, pid); !done) return tl::unexpected(done.error());
    if (const auto done = control({"--dump"}, pid); !done) return tl::unexpected(done.error());
    // Dumps are numbered: callgrind.out.1, callgrind.out.2, ...; the newest is ours.
    std::vector<std::pair<int, fs::path>> dumps;
    const std::string begin = "callgrind.out.";
    for (const auto& entry : fs::directory_iterator(folder_)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with(begin)) continue;
        dumps.emplace_back(std::atoi(name.c_str() + begin.size()), entry.path());
    }
    if (dumps.empty()) {
        return fail(ErrorCode::io, "callgrind wrote no profile in " + folder_.string());
    }
    return parse_callgrind(read_all(std::max_element(dumps.begin(), dumps.end())->second));
}

}  // namespace farm::bench
