#include "cpu_client/app/status_text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/quantity_text.h"
#include "cpu_client/app/table.h"
#include "schemas/cost_curve.h"

namespace farm {

namespace {

using nlohmann::ordered_json;
using Kind = Table::Kind;
constexpr std::uint64_t ns_per_ms = 1'000'000;

std::string broker_text(const StatusView& view) {
    const BrokerStatus& broker = view.report.broker;
    Table table({{"BROKER"},
                 {"ADDRESS"},
                 {"UP", Kind::number},
                 {"CLIENTS", Kind::number},
                 {"WORKERS", Kind::number},
                 {"OK", Kind::number},
                 {"OTHER", Kind::number},
                 {"REFUSED", Kind::number}});
    table.add({broker.name + (broker.draining ? " (draining)" : ""), view.address,
               duration_text(broker.uptime_ms * ns_per_ms), std::to_string(broker.client_count),
               std::to_string(broker.worker_count), std::to_string(broker.answered_ok_count),
               std::to_string(broker.answered_other_count), std::to_string(broker.refused_count)});
    return table.text();
}

std::string rate_cell(const WorkerStatus& worker, const DoneRates* rates) {
    if (rates == nullptr) return "-";
    const auto found = rates->calls_per_s.find(worker.name);
    return found == rates->calls_per_s.end() ? "-" : rate_text(found->second);
}

std::string workers_text(const StatusReport& report, const DoneRates* rates) {
    if (report.workers.empty()) {
        return "no workers: start one with farm-worker --broker ADDRESS --models DIR\n";
    }
    Table table({{"WORKER"},
                 {"DEVICE"},
                 {"STATE", Kind::name},
                 {"OPEN", Kind::number},
                 {"DONE", Kind::number},
                 {"FAILED", Kind::number},
                 {"CALLS/S", Kind::number},
                 {"BACKLOG", Kind::number},
                 {"HEARD", Kind::number}});
    for (const WorkerStatus& worker : report.workers) {
        table.add({worker.name, worker.device_name, worker.state,
                   std::to_string(worker.outstanding_count), std::to_string(worker.done_count),
                   std::to_string(worker.failed_count), rate_cell(worker, rates),
                   duration_text(worker.backlog_ns),
                   duration_text(worker.heard_ms_ago * ns_per_ms)});
    }
    return table.text();
}

bool tells_busy(const DeviceUse& device) {
    return device.busy_percent < DeviceUse::unknown_percent;
}

/// Of the devices whose driver tells it.
std::string devices_text(const StatusReport& report) {
    Table table({{"WORKER"},
                 {"DEVICE"},
                 {"MEMORY", Kind::number},
                 {"USED", Kind::number},
                 {"BUSY", Kind::number}});
    for (const WorkerStatus& worker : report.workers) {
        const DeviceUse& device = worker.device;
        if (device.memory_bytes == 0) continue;
        table.add({worker.name, worker.device_name, bytes_text(device.memory_bytes),
                   bytes_text(device.memory_used_bytes),
                   tells_busy(device) ? std::to_string(device.busy_percent) + " %" : "-"});
    }
    return table.empty() ? "" : '\n' + table.text();
}

/// Nothing where nothing is known; null for a utilisation that is not told.
void add_device(ordered_json& json, const DeviceUse& device) {
    if (device.memory_bytes == 0) return;
    json["device_memory_bytes"] = device.memory_bytes;
    json["device_memory_used_bytes"] = device.memory_used_bytes;
    json["device_busy_percent"] =
        tells_busy(device) ? ordered_json(device.busy_percent) : ordered_json(nullptr);
}

std::string services_text(const StatusReport& report) {
    Table table({{"SERVICE"},
                 {"WORKER"},
                 {"BACKEND"},
                 {"WINDOW", Kind::number},
                 {"OPEN", Kind::number},
                 {"DONE", Kind::number},
                 {"TIME/ROW", Kind::number},
                 {"STATE", Kind::name}});
    for (const ServiceStatus& service : report.services) {
        table.add({service.name, service.worker, service.backend,
                   std::to_string(service.window_count), std::to_string(service.outstanding_count),
                   std::to_string(service.done_count),
                   service.row_ns == 0 ? "-" : duration_text(service.row_ns),
                   !service.failure.empty() ? "failed"
                   : service.ejected        ? "ejected"
                                            : "serving"});
    }
    return table.empty() ? "" : '\n' + table.text();
}

constexpr std::size_t curve_columns = 20;

/// Rows/s against rows per run, a bar for each point up to the best one; the largest runs where
/// there are more than fit.
std::string curve_text(const std::vector<CostPoint>& cost) {
    static constexpr std::array bars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const auto rate = [](const CostPoint& point) {
        return point.rows / static_cast<double>(std::max<std::uint64_t>(1, point.nanoseconds));
    };
    double best = 0;
    for (const CostPoint& point : cost) best = std::max(best, rate(point));
    std::string text;
    const std::size_t skipped = cost.size() - std::min(cost.size(), curve_columns);
    for (std::size_t i = skipped; i < cost.size(); ++i) {
        const double level = rate(cost[i]) / best * bars.size();
        text += bars.at(std::clamp<std::size_t>(std::lround(level), 1, bars.size()) - 1);
    }
    return text;
}

/// The curves that workers have learned; those with one point say nothing about sizes.
std::string curves_text(const StatusReport& report) {
    Table table({{"BATCHES OF"},
                 {"WORKER"},
                 {"KNEE", Kind::number},
                 {"ROWS/S", Kind::number},
                 {"RUN", Kind::number},
                 {"ROWS", Kind::number},
                 {"RATE BY ROWS", Kind::name}});
    for (const ServiceStatus& service : report.services) {
        if (service.cost.size() < 2) continue;
        const std::uint32_t knee = knee_rows(service.cost);
        const std::uint64_t run_ns = std::max<std::uint64_t>(1, cost_at(service.cost, knee, 1));
        table.add({service.name, service.worker, std::to_string(knee),
                   rate_text(knee * 1e9 / static_cast<double>(run_ns)), duration_text(run_ns),
                   std::to_string(service.cost.front().rows) + "-" +
                       std::to_string(service.cost.back().rows),
                   curve_text(service.cost)});
    }
    return table.empty() ? "" : '\n' + table.text();
}

ordered_json curve_json(const std::vector<CostPoint>& cost) {
    ordered_json points = ordered_json::array();
    for (const CostPoint& point : cost) {
        points.push_back({{"rows", point.rows}, {"run_ns", point.nanoseconds}});
    }
    return points;
}

std::string queues_text(const StatusReport& report) {
    Table table(
        {{"QUEUE"}, {"CALLS", Kind::number}, {"BYTES", Kind::number}, {"OLDEST", Kind::number}});
    for (const QueueStatus& queue : report.queues) {
        table.add({queue.service, std::to_string(queue.queued_count),
                   bytes_text(queue.queued_bytes), duration_text(queue.oldest_ms * ns_per_ms)});
    }
    return table.empty() ? "" : '\n' + table.text();
}

std::string failures_text(const StatusReport& report) {
    std::string text;
    for (const ServiceStatus& service : report.services) {
        if (service.failure.empty()) continue;
        text += fmt::format("\n{} on {} did not load: {}\n", printable(service.name),
                            printable(service.worker), printable(service.failure));
    }
    return text;
}

ordered_json broker_json(const StatusView& view) {
    const BrokerStatus& broker = view.report.broker;
    return {{"name", broker.name},
            {"address", view.address},
            {"version", broker.version},
            {"uptime_ms", broker.uptime_ms},
            {"clients", broker.client_count},
            {"workers", broker.worker_count},
            {"accepted", broker.accepted_count},
            {"answered_ok", broker.answered_ok_count},
            {"answered_other", broker.answered_other_count},
            {"refused", broker.refused_count},
            {"queued_bytes", broker.queued_bytes},
            {"draining", broker.draining}};
}

}  // namespace

DoneRates done_rates(const StatusReport& before, const StatusReport& now, double seconds) {
    DoneRates rates;
    if (seconds <= 0) return rates;
    std::map<std::string, std::uint64_t> done_before;
    for (const WorkerStatus& worker : before.workers) done_before[worker.name] = worker.done_count;
    for (const WorkerStatus& worker : now.workers) {
        const auto found = done_before.find(worker.name);
        if (found == done_before.end() || found->second > worker.done_count) continue;
        rates.calls_per_s[worker.name] =
            static_cast<double>(worker.done_count - found->second) / seconds;
    }
    return rates;
}

std::string status_text(const StatusView& view, const DoneRates* rates) {
    return broker_text(view) + '\n' + workers_text(view.report, rates) + devices_text(view.report) +
           services_text(view.report) + curves_text(view.report) + queues_text(view.report) +
           failures_text(view.report);
}

std::string status_json(const StatusView& view) {
    ordered_json json{{"broker", broker_json(view)}};
    json["workers"] = ordered_json::array();
    for (const WorkerStatus& worker : view.report.workers) {
        json["workers"].push_back({{"name", worker.name},
                                   {"device", worker.device_name},
                                   {"state", worker.state},
                                   {"outstanding", worker.outstanding_count},
                                   {"outstanding_bytes", worker.outstanding_bytes},
                                   {"done", worker.done_count},
                                   {"failed", worker.failed_count},
                                   {"backlog_ns", worker.backlog_ns},
                                   {"heard_ms_ago", worker.heard_ms_ago}});
        add_device(json["workers"].back(), worker.device);
    }
    json["services"] = ordered_json::array();
    for (const ServiceStatus& service : view.report.services) {
        json["services"].push_back({{"name", service.name},
                                    {"worker", service.worker},
                                    {"backend", service.backend},
                                    {"failure", service.failure},
                                    {"window", service.window_count},
                                    {"outstanding", service.outstanding_count},
                                    {"done", service.done_count},
                                    {"row_ns", service.row_ns},
                                    {"ejected", service.ejected},
                                    {"knee_rows", knee_rows(service.cost)},
                                    {"curve", curve_json(service.cost)}});
    }
    json["queues"] = ordered_json::array();
    for (const QueueStatus& queue : view.report.queues) {
        json["queues"].push_back({{"service", queue.service},
                                  {"queued", queue.queued_count},
                                  {"queued_bytes", queue.queued_bytes},
                                  {"oldest_ms", queue.oldest_ms}});
    }
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace farm
