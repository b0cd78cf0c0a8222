#include "cpu_client/core/unreachable_text.h"

#include <cstdio>

namespace farm {

std::string seconds_text(Duration duration) {
    char text[32];
    const double seconds = std::chrono::duration<double>(duration).count();
    std::snprintf(text, sizeof(text), "%.1f s", seconds);
    return text;
}

std::string unreachable_text(const std::vector<std::string>& addresses, Duration tried_for,
                             const std::string& last_problem) {
    std::string text = "no broker could be reached for " + seconds_text(tried_for) + " (tried ";
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (i > 0) text += ", ";
        text += addresses[i];
    }
    if (addresses.empty()) text += "no address: the broker list is empty";
    if (!last_problem.empty()) text += "; last: " + last_problem;
    return text + "): start one, or check the addresses";
}

}  // namespace farm
