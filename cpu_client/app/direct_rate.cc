#include "cpu_client/app/direct_rate.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/ops/process.h"
#include "cpu_client/app/child_farm.h"

namespace farm {

namespace {

constexpr auto start_allowance = std::chrono::seconds(60);  // loading, and one run of each event

std::string read_all(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

Result<DirectRate> parse_direct_rate(std::string_view json) {
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    const auto number = [&](const char* key) {
        return parsed.is_object() && parsed.contains(key) && parsed[key].is_number()
                   ? parsed[key].get<double>()
                   : -1.0;
    };
    const DirectRate rate{number("runs_per_s"), number("p50_ms"), number("p99_ms"),
                          number("processor_ms_per_run")};
    if (std::min({rate.runs_per_s, rate.p50_ms, rate.p99_ms, rate.processor_ms_per_run}) >= 0) {
        return rate;
    }
    return fail(ErrorCode::internal, "farm-worker --bench printed '" +
                                         std::string(json.substr(0, 80)) +
                                         "' (not an object with runs_per_s, p50_ms, p99_ms, "
                                         "processor_ms_per_run): are "
                                         "farm and farm-worker of the same version?");
}

Result<DirectRate> measure_direct_rate(const std::string& model,
                                       const std::filesystem::path& models,
                                       const std::filesystem::path& inputs, double seconds,
                                       const std::filesystem::path& scratch) {
    const auto program = find_program("farm-worker");
    if (!program) return tl::unexpected(program.error());
    SpawnOptions spawn;
    spawn.arguments = {*program,        "--bench",         model,
                       "--models",      models.string(),   "--bench-inputs",
                       inputs.string(), "--bench-seconds", fmt::format("{:g}", seconds),
                       "--json",        "--log-level",     "warning"};
    spawn.stdout_file = (scratch / "bench.json").string();
    spawn.stderr_file = (scratch / "bench.log").string();
    auto child = ChildProcess::spawn(spawn);
    if (!child) return tl::unexpected(child.error());
    const auto status =
        child->wait(start_allowance + std::chrono::milliseconds(static_cast<int>(seconds * 2000)));
    if (!status) {
        return fail(ErrorCode::internal,
                    "farm-worker --bench did not end in time: see " + spawn.stderr_file);
    }
    if (!status->ok()) {
        return fail(ErrorCode::internal, "farm-worker --bench failed (" + to_string(*status) +
                                             "): " + read_all(spawn.stderr_file));
    }
    return parse_direct_rate(read_all(spawn.stdout_file));
}

}  // namespace farm
