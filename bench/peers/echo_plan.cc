#include "bench/peers/echo_plan.h"

namespace farm::bench {

std::vector<Round> plan_rounds(const PlanOptions& options) {
    std::vector<Round> rounds;
    for (const std::size_t bytes : options.bytes) {
        for (const int outstanding : options.outstanding) {
            if (bytes * static_cast<std::size_t>(outstanding) > most_open_bytes) continue;
            Round round{{bytes, outstanding, options.seconds}, {}};
            for (const std::string& path : options.paths) {
                if (options.is_for(path, bytes)) round.paths.push_back(path);
            }
            if (!round.paths.empty()) rounds.push_back(std::move(round));
        }
    }
    return rounds;
}

}  // namespace farm::bench
