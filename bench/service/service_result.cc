#include "bench/service/service_result.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace farm::bench {
namespace {

std::vector<double> values(const std::vector<ServiceSample>& samples,
                           double ServiceSample::*field) {
    std::vector<double> list;
    for (const ServiceSample& sample : samples) list.push_back(sample.*field);
    return list;
}

Spread spread(const std::vector<ServiceSample>& samples, double ServiceSample::*field) {
    return spread_of(values(samples, field));
}

double rate(const std::vector<ServiceSample>& samples) {
    return spread(samples, &ServiceSample::rows_per_s).median;
}

std::string title(const ServiceCase& what) {
    return fmt::format("{} B={}", what.name, what.events.rows);
}

void add_goal(std::vector<GoalResult>& goals, const ServiceResult& result, double limit,
              const DirectSeries& direct, const char* how) {
    if (limit == 0) return;
    const int clients = result.most_clients();
    goals.push_back({{fmt::format("{}, {} clients: farm / direct {} (B={})", title(result.what),
                                  clients, how, direct.rows),
                      Goal::Sense::at_least, limit},
                     farm_ratio(result, clients, direct)});
}

}  // namespace

const DirectSeries& ServiceResult::best_direct() const {
    return *std::max_element(direct.begin(), direct.end(),
                             [](const DirectSeries& a, const DirectSeries& b) {
                                 return rate(a.samples) < rate(b.samples);
                             });
}

Spread farm_ratio(const ServiceResult& result, int clients, const DirectSeries& direct) {
    return ratio_of(values(result.farm.at(clients), &ServiceSample::rows_per_s),
                    values(direct.samples, &ServiceSample::rows_per_s));
}

Spread processor_ratio(const ServiceResult& result, int clients, const DirectSeries& direct) {
    return ratio_of(values(direct.samples, &ServiceSample::processor_ms),
                    values(result.farm.at(clients), &ServiceSample::processor_ms));
}

std::vector<GoalResult> service_goals(const std::vector<ServiceResult>& results) {
    std::vector<GoalResult> goals;
    for (const ServiceResult& result : results) {
        add_goal(goals, result, result.what.goal, result.best_direct(), "mapped");
        add_goal(goals, result, result.what.system_malloc_goal, result.system_malloc, "glibc");
        if (result.what.p99_goal == 0) continue;
        const auto& [clients, samples] = *result.farm.rbegin();
        goals.push_back({{fmt::format("{}, {} clients: p99 / p50", title(result.what), clients),
                          Goal::Sense::at_most, result.what.p99_goal},
                         ratio_of(values(samples, &ServiceSample::p99_ms),
                                  values(samples, &ServiceSample::p50_ms))});
    }
    return goals;
}

std::string service_table(const std::vector<ServiceResult>& results) {
    std::string text = fmt::format("{:<36} {:>3} {:>9} {:>6} {:>9} {:>6} {:>6} {:>6} {:>8} {:>8}\n",
                                   "MODEL", "CLI", "FARM/S", "SPREAD", "DIRECT/S", "RATIO", "CPU",
                                   "/GLIBC", "P50 MS", "P99 MS");
    for (const ServiceResult& result : results) {
        const DirectSeries& direct = result.best_direct();
        const double rows = result.what.events.rows;
        for (const auto& [clients, samples] : result.farm) {
            const Spread farm = spread(samples, &ServiceSample::rows_per_s);
            text += fmt::format(
                "{:<36} {:>3} {:>9.2f} {:>5.0f}% {:>9.2f} {:>6.2f} {:>6.2f} {:>6.2f} {:>8.2f} "
                "{:>8.2f}\n",
                title(result.what), clients, farm.median / rows, 100 * farm.relative(),
                rate(direct.samples) / rows, farm_ratio(result, clients, direct).median,
                processor_ratio(result, clients, direct).median,
                farm_ratio(result, clients, result.system_malloc).median,
                spread(samples, &ServiceSample::p50_ms).median,
                spread(samples, &ServiceSample::p99_ms).median);
        }
    }
    return text;
}

std::string service_json(const std::vector<ServiceResult>& results) {
    auto list = nlohmann::ordered_json::array();
    for (const ServiceResult& result : results) {
        const DirectSeries& direct = result.best_direct();
        const double rows = result.what.events.rows;
        auto batches = nlohmann::ordered_json::array();
        for (const DirectSeries& series : result.direct) {
            batches.push_back({{"batch", series.rows}, {"rows_per_s", rate(series.samples)}});
        }
        for (const auto& [clients, samples] : result.farm) {
            const Spread farm = spread(samples, &ServiceSample::rows_per_s);
            const Spread ratio = farm_ratio(result, clients, direct);
            list.push_back(
                {{"model", result.what.name},
                 {"batch", result.what.events.rows},
                 {"clients", clients},
                 {"instances", result.what.instances},
                 {"direct_per_s", rate(direct.samples) / rows},
                 {"farm_per_s", farm.median / rows},
                 {"ratio", ratio.median},
                 {"ratio_low", ratio.low},
                 {"ratio_high", ratio.high},
                 {"ratio_processor", processor_ratio(result, clients, direct).median},
                 {"farm_spread", farm.relative()},
                 {"farm_p50_ms", spread(samples, &ServiceSample::p50_ms).median},
                 {"farm_p99_ms", spread(samples, &ServiceSample::p99_ms).median},
                 {"direct_p50_ms", spread(direct.samples, &ServiceSample::p50_ms).median},
                 {"direct_batch", direct.rows},
                 {"direct_batches", batches},
                 {"direct_system_malloc_per_s", rate(result.system_malloc.samples) / rows},
                 {"direct_system_malloc_batch", result.system_malloc.rows},
                 {"ratio_system_malloc", farm_ratio(result, clients, result.system_malloc).median},
                 {"repeats", samples.size()}});
        }
    }
    return list.dump(1) + "\n";
}

}  // namespace farm::bench
