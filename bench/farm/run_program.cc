#include "bench/farm/run_program.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "common/ops/process.h"

namespace farm::bench {
namespace {

constexpr std::size_t quoted_bytes = 600;

std::string read_all(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::string end_of(const std::string& text) {
    return text.substr(text.size() - std::min(text.size(), quoted_bytes));
}

}  // namespace

Result<std::string> run_program(std::vector<std::string> command, const std::filesystem::path& log,
                                std::chrono::seconds limit) {
    std::string shown;
    for (const std::string& word : command) shown += (shown.empty() ? "" : " ") + word;
    const std::string output = log.string() + ".out";
    std::filesystem::remove(output);
    auto child = ChildProcess::spawn({std::move(command), {}, output, log.string(), true});
    if (!child) return tl::unexpected(child.error());
    const auto status = child->wait(limit);
    if (!status) {
        return fail(ErrorCode::io,
                    "'" + shown + "' did not end within " + std::to_string(limit.count()) + " s");
    }
    std::string text = read_all(output);
    if (status->ok()) return text;
    return fail(ErrorCode::io, "'" + shown + "' failed (" + to_string(*status) +
                                   "): " + end_of(text + read_all(log)));
}

}  // namespace farm::bench
