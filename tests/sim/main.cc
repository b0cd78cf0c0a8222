#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/sim/farm.h"

namespace {

int usage() {
    std::fprintf(stderr,
                 "farm_sim --seed N       play one seed and print its transcript\n"
                 "farm_sim --seeds A:B    play many; the first broken rule ends it\n");
    return 2;
}

int play_one(std::uint64_t seed) {
    const auto result = farm::sim::run_seed(seed, true, true);
    for (const auto& [status, count] : result.statuses)
        std::printf("%s: %d\n", status.c_str(), count);
    std::printf("%llu events\n", static_cast<unsigned long long>(result.events));
    if (result.rule.empty()) return 0;
    std::printf("seed %llu broke a rule: %s\n  %s\n", static_cast<unsigned long long>(seed),
                result.rule.c_str(), result.text.c_str());
    return 1;
}

int play_many(std::uint64_t first, std::uint64_t last) {
    const auto campaign = farm::sim::run_seeds(first, last);
    farm::sim::print_failure(campaign);
    for (const auto& [status, count] : campaign.statuses) {
        std::printf("%s: %d\n", status.c_str(), count);
    }
    std::printf("%llu seeds passed\n", static_cast<unsigned long long>(campaign.passed));
    return campaign.failed_seed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return usage();
    const std::string what = argv[1];
    char* rest = nullptr;
    const std::uint64_t first = std::strtoull(argv[2], &rest, 10);
    if (what == "--seed" && *rest == '\0') return play_one(first);
    if (what != "--seeds" || *rest != ':') return usage();
    return play_many(first, std::strtoull(rest + 1, nullptr, 10));
}
