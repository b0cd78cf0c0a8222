#include "cpu_client/app/bench_report.h"

#include <fstream>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/core/version.h"
#include "common/ops/host.h"
#include "cpu_client/app/models_text.h"
#include "cpu_client/app/quantity_text.h"

namespace farm {

namespace {

using nlohmann::ordered_json;

std::string processor_name() {
    std::ifstream stream("/proc/cpuinfo");
    constexpr std::string_view key = "model name";
    for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with(key)) continue;
        const auto begin = line.find_first_not_of(" \t:", key.size());
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return "unknown processor";
}

std::string_view level_name(LoadLevel::Kind kind) {
    return kind == LoadLevel::Kind::rate ? "rate" : "concurrency";
}

/// At most 6 characters for what a bench sees: "0.123", "12.35", "1234.5", "123456".
std::string ms(double value) {
    if (value >= 10000) return fmt::format("{:.0f}", value);
    if (value >= 100) return fmt::format("{:.1f}", value);
    if (value >= 10) return fmt::format("{:.2f}", value);
    return fmt::format("{:.3f}", value);
}

ordered_json statuses_json(const LevelResult& result) {
    auto json = ordered_json::object();
    for (std::size_t i = 0; i < call_status_count; ++i) {
        if (result.by_status[i] == 0) continue;
        json[std::string(to_string(static_cast<CallStatus>(i)))] = result.by_status[i];
    }
    return json;
}

}  // namespace

std::string machine_text() {
    return fmt::format("{}, {} x {}, eventfarm {}", host_name(),
                       std::thread::hardware_concurrency(), processor_name(), version);
}

std::string bench_heading(LoadLevel::Kind kind) {
    return fmt::format("{:>5} {:>8} {:>8} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>6} {:>5}\n",
                       kind == LoadLevel::Kind::rate ? "RATE" : "CONC", "CALLS/S", "ROWS/S", "P50",
                       "P90", "P95", "P99", "QUEUE", "COMPUTE", "OTHER", "FAIL");
}

std::string bench_row(const LevelResult& result, std::uint32_t rows_per_call) {
    return fmt::format("{:>5} {:>8} {:>8} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7} {:>6} {:>5}\n",
                       fmt::format("{:g}{}", result.level.value, result.stable ? "" : "*"),
                       rate_text(result.calls_per_s), rate_text(result.calls_per_s * rows_per_call),
                       ms(result.p50_ms), ms(result.p90_ms), ms(result.p95_ms), ms(result.p99_ms),
                       ms(result.queue_ms), ms(result.compute_ms), ms(result.other_ms),
                       result.failed_count);
}

std::string bench_csv(const BenchSubject& subject, const std::vector<LevelResult>& results) {
    std::string text =
        "model,mode,level,stable,calls_per_s,rows_per_s,mean_ms,p50_ms,p90_ms,"
        "p95_ms,p99_ms,queue_ms,compute_ms,other_ms,calls_per_run,ok,failed\n";
    for (const LevelResult& r : results) {
        text += fmt::format(
            "{},{},{:g},{},{:.3f},{:.3f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},"
            "{:.2f},{},{}\n",
            service_name(subject.service.model, subject.service.version), level_name(r.level.kind),
            r.level.value, r.stable ? 1 : 0, r.calls_per_s, r.calls_per_s * subject.rows_per_call,
            r.mean_ms, r.p50_ms, r.p90_ms, r.p95_ms, r.p99_ms, r.queue_ms, r.compute_ms, r.other_ms,
            r.calls_per_run, r.ok_count, r.failed_count);
    }
    return text;
}

std::string bench_json(const BenchSubject& subject, const std::vector<LevelResult>& results) {
    auto inputs = ordered_json::array();
    for (const TensorDesc& desc : subject.inputs) {
        inputs.push_back(
            {{"name", desc.name}, {"type", to_string(desc.type)}, {"shape", desc.shape}});
    }
    auto levels = ordered_json::array();
    for (const LevelResult& r : results) {
        levels.push_back({{"mode", level_name(r.level.kind)},
                          {"level", r.level.value},
                          {"stable", r.stable},
                          {"seconds", r.seconds},
                          {"calls_per_s", r.calls_per_s},
                          {"rows_per_s", r.calls_per_s * subject.rows_per_call},
                          {"mean_ms", r.mean_ms},
                          {"p50_ms", r.p50_ms},
                          {"p90_ms", r.p90_ms},
                          {"p95_ms", r.p95_ms},
                          {"p99_ms", r.p99_ms},
                          {"queue_ms", r.queue_ms},
                          {"compute_ms", r.compute_ms},
                          {"other_ms", r.other_ms},
                          {"calls_per_run", r.calls_per_run},
                          {"ok", r.ok_count},
                          {"failed", r.failed_count},
                          {"statuses", statuses_json(r)},
                          {"failure_detail", r.failure_detail}});
    }
    const ordered_json json{{"model", subject.service.model},
                            {"version", subject.service.version},
                            {"hash", hash_text(subject.service.hash)},
                            {"broker", subject.broker},
                            {"machine", machine_text()},
                            {"rows_per_call", subject.rows_per_call},
                            {"inputs", inputs},
                            {"events", subject.event_count},
                            {"levels", levels}};
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace farm
