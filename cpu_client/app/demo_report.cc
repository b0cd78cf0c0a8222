#include "cpu_client/app/demo_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace farm {

namespace {

using nlohmann::ordered_json;

std::uint64_t events_of(const DemoFigures& figures, const std::string& worker) {
    const auto found = figures.by_worker.find(worker);
    return found == figures.by_worker.end() ? 0 : found->second;
}

std::string statuses_text(const DemoFigures& figures) {
    std::string text;
    for (std::size_t i = 0; i < call_status_count; ++i) {
        if (figures.by_status[i] == 0) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                            to_string(static_cast<CallStatus>(i)), figures.by_status[i]);
    }
    return text.empty() ? "none" : text;
}

std::string shares_text(const DemoResult& result) {
    std::string text;
    for (const std::string& worker : result.workers) {
        const std::uint64_t count = events_of(result.figures, worker);
        const double share = result.figures.event_count == 0
                                 ? 0
                                 : 100.0 * static_cast<double>(count) /
                                       static_cast<double>(result.figures.event_count);
        text += fmt::format("               {:<16} {:>5} events  {:>3.0f} %{}{}\n", worker, count,
                            share, worker == result.newcomer ? "  (joined)" : "",
                            worker == result.victim ? "  (killed)" : "");
    }
    return text.empty() ? "" : "workers" + text.substr(7);
}

std::string split_text(const DemoFigures& figures) {
    return fmt::format(
        "mean           {:.1f} ms waiting for a worker, {:.1f} ms queued in it\n"
        "               {:.1f} ms computing, {:.1f} ms copying inputs and outputs\n",
        figures.waiting_ms, figures.worker_queue_ms, figures.compute_ms, figures.copy_ms);
}

std::string join_text(const DemoResult& result) {
    if (!result.join_to_first_event_ms) return "join           not seen\n";
    return fmt::format("join           {} took its first event {:.0f} ms after it was ready\n",
                       result.newcomer, *result.join_to_first_event_ms);
}

std::string kill_text(const DemoResult& result) {
    if (result.victim.empty()) return "kill           not done\n";
    return fmt::format("kill           {} with {} events open: {}, {} sent again\n", result.victim,
                       result.open_at_kill_count,
                       result.recovered ? "all answered" : "NOT all answered",
                       result.figures.resent_count);
}

std::string direct_text(const DemoResult& result) {
    if (!result.direct) return "";
    return fmt::format(
        "without farm   {:.1f} events/s in one process, p50 {:.1f} ms, p99 {:.1f} ms\n"
        "               (farm-worker --bench tracks on the same events)\n",
        result.direct->runs_per_s, result.direct->p50_ms, result.direct->p99_ms);
}

}  // namespace

std::string demo_text(const DemoResult& result) {
    const DemoFigures& figures = result.figures;
    return fmt::format("events         {}, lost {} (statuses: {})\n", figures.event_count,
                       figures.lost_count, statuses_text(figures)) +
           fmt::format("rate           {:.1f} events/s\n", figures.events_per_s) +
           fmt::format("latency        p50 {:.1f} ms, p99 {:.1f} ms\n", figures.p50_ms,
                       figures.p99_ms) +
           split_text(figures) + shares_text(result) + join_text(result) + kill_text(result) +
           direct_text(result);
}

std::string demo_json(const DemoResult& result) {
    const DemoFigures& figures = result.figures;
    auto statuses = ordered_json::object();
    for (std::size_t i = 0; i < call_status_count; ++i) {
        if (figures.by_status[i] == 0) continue;
        statuses[std::string(to_string(static_cast<CallStatus>(i)))] = figures.by_status[i];
    }
    auto workers = ordered_json::array();
    for (const std::string& worker : result.workers) {
        workers.push_back({{"name", worker}, {"events", events_of(figures, worker)}});
    }
    ordered_json json{{"events", figures.event_count},
                      {"lost", figures.lost_count},
                      {"statuses", statuses},
                      {"events_per_s", figures.events_per_s},
                      {"in_process_events_per_s", nullptr},
                      {"p50_ms", figures.p50_ms},
                      {"p99_ms", figures.p99_ms},
                      {"join_to_first_event_ms", nullptr},
                      {"workers", workers},
                      {"waiting_ms", figures.waiting_ms},
                      {"worker_queue_ms", figures.worker_queue_ms},
                      {"compute_ms", figures.compute_ms},
                      {"copy_ms", figures.copy_ms},
                      {"joined", result.newcomer},
                      {"killed", result.victim},
                      {"open_at_kill", result.open_at_kill_count},
                      {"recovered", result.recovered},
                      {"resent", figures.resent_count}};
    if (result.direct) json["in_process_events_per_s"] = result.direct->runs_per_s;
    if (result.join_to_first_event_ms) {
        json["join_to_first_event_ms"] = *result.join_to_first_event_ms;
    }
    return json.dump(2) + '\n';
}

}  // namespace farm
