#pragma once

#include <string>
#include <vector>

#include "cpu_client/app/load_driver.h"
#include "cpu_client/lib/input.h"
#include "schemas/service.h"

namespace farm {

/// What was measured on what; goes with every figure.
struct BenchSubject {
    ServiceAd service;
    std::string broker;
    std::uint32_t rows_per_call{1};  ///< mean over the events
    std::vector<TensorDesc> inputs;  ///< of the first event
    std::size_t event_count{1};
};

/// The line that names the columns; at most 80 columns, as every line of bench_row.
std::string bench_heading(LoadLevel::Kind kind);
/// Times in ms; "*" after the level: its windows did not agree.
std::string bench_row(const LevelResult& result, std::uint32_t rows_per_call);

std::string bench_csv(const BenchSubject& subject, const std::vector<LevelResult>& results);
std::string bench_json(const BenchSubject& subject, const std::vector<LevelResult>& results);

/// "host, 2 x AMD EPYC ..., eventfarm 0.1.0": where figures were taken.
std::string machine_text();

}  // namespace farm
