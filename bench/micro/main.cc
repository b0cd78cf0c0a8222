// All benchmarks of this folder in one program: Google Benchmark's flags, and --json FILE, which
// is its JSON with five repetitions in random order (medians and spread are among the rows).
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/core/version.h"

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv, argv + argc);
    for (std::size_t i = 1; i + 1 < arguments.size(); ++i) {
        if (arguments[i] != "--json") continue;
        const std::string file = arguments[i + 1];
        arguments[i] = "--benchmark_out=" + file;
        arguments[i + 1] = "--benchmark_out_format=json";
        // What the caller says comes later and wins.
        arguments.insert(arguments.begin() + 1,
                         {"--benchmark_repetitions=5", "--benchmark_min_time=0.1",
                          "--benchmark_enable_random_interleaving=true",
                          "--benchmark_display_aggregates_only=true"});
        break;
    }
    std::vector<char*> flags;
    for (std::string& argument : arguments) flags.push_back(argument.data());
    int count = static_cast<int>(flags.size());
    benchmark::Initialize(&count, flags.data());
    if (benchmark::ReportUnrecognizedArguments(count, flags.data())) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
