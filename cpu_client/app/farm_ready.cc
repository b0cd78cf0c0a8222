#include "cpu_client/app/farm_ready.h"

#include <algorithm>

namespace farm {

namespace {

constexpr std::string_view ready_state = "ready";

bool is_of(const ServiceStatus& service, std::string_view worker, std::string_view model) {
    const std::string_view name = service.name;
    return service.worker == worker && name.substr(0, name.find('/')) == model;
}

}  // namespace

const WorkerStatus* find_worker(const StatusReport& report, std::string_view name) {
    const auto found =
        std::find_if(report.workers.begin(), report.workers.end(),
                     [&](const WorkerStatus& worker) { return worker.name == name; });
    return found == report.workers.end() ? nullptr : &*found;
}

bool has_settled(const StatusReport& report, std::uint32_t worker_count) {
    const auto settled = std::count_if(
        report.workers.begin(), report.workers.end(), [&](const WorkerStatus& worker) {
            return worker.state == ready_state &&
                   std::any_of(
                       report.services.begin(), report.services.end(),
                       [&](const ServiceStatus& service) { return service.worker == worker.name; });
        });
    return settled >= static_cast<std::ptrdiff_t>(worker_count);
}

bool serves(const StatusReport& report, std::string_view worker, std::string_view model) {
    const WorkerStatus* found = find_worker(report, worker);
    return found != nullptr && found->state == ready_state &&
           std::any_of(report.services.begin(), report.services.end(),
                       [&](const ServiceStatus& service) {
                           return is_of(service, worker, model) && service.failure.empty();
                       });
}

std::string load_failure(const StatusReport& report, std::string_view worker,
                         std::string_view model) {
    for (const ServiceStatus& service : report.services) {
        if (is_of(service, worker, model) && !service.failure.empty()) return service.failure;
    }
    return {};
}

}  // namespace farm
