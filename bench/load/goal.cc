#include "bench/load/goal.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace farm::bench {
namespace {

std::string sense_text(Goal::Sense sense) { return sense == Goal::Sense::at_least ? ">=" : "<="; }

}  // namespace

bool GoalResult::met() const {
    if (!ratio) return false;
    return goal.sense == Goal::Sense::at_least ? ratio->median >= goal.limit
                                               : ratio->median <= goal.limit;
}

std::string goal_table(const std::vector<GoalResult>& results) {
    std::string text = fmt::format("{:<64} {:>8} {:>8} {:>15}\n", "GOAL", "", "SEEN", "LOW - HIGH");
    for (const GoalResult& result : results) {
        text += fmt::format("{:<64} {:>2} {:>5.2f} ", result.goal.what,
                            sense_text(result.goal.sense), result.goal.limit);
        text += result.ratio ? fmt::format("{:>8.2f} {:>7.2f} -{:>6.2f}  {}\n",
                                           result.ratio->median, result.ratio->low,
                                           result.ratio->high, result.met() ? "met" : "MISSED")
                             : "  not measured\n";
    }
    return text;
}

std::string goal_json(const std::vector<GoalResult>& results) {
    auto list = nlohmann::ordered_json::array();
    for (const GoalResult& result : results) {
        nlohmann::ordered_json line{{"what", result.goal.what},
                                    {"sense", sense_text(result.goal.sense)},
                                    {"limit", result.goal.limit},
                                    {"ratio", nullptr},
                                    {"low", nullptr},
                                    {"high", nullptr},
                                    {"met", nullptr}};
        if (result.ratio) {
            line["ratio"] = result.ratio->median;
            line["low"] = result.ratio->low;
            line["high"] = result.ratio->high;
            line["met"] = result.met();
        }
        list.push_back(std::move(line));
    }
    return list.dump(1) + "\n";
}

}  // namespace farm::bench
