#pragma once

#include <string>
#include <vector>

#include "bench/load/load.h"
#include "bench/load/series.h"

namespace farm::bench {

/// All repeats of one path under one load.
struct Row {
    std::string path;
    Load load;
    std::vector<Sample> samples;

    std::vector<double> values(double Sample::*field) const;
    Spread spread(double Sample::*field) const { return spread_of(values(field)); }
    double mb_per_s() const;  ///< of questions, median
};

/// Null when it was not measured.
const Row* find_row(const std::vector<Row>& rows, const std::string& path, std::size_t bytes,
                    int outstanding);

/// Figures of each row, and its calls/s and p50 divided by those of zmq_proxy and triton.
std::string row_table(const std::vector<Row>& rows);
/// [{"path", "bytes", "outstanding", "calls_per_s", "mb_per_s", "p50_us", "p99_us", "spread",
/// "calls_per_s_low", "calls_per_s_high", "repeats"}]: medians, and how far calls/s were apart.
std::string row_json(const std::vector<Row>& rows);

std::string bytes_text(std::size_t bytes);  ///< "1 KB", "16 MB"

}  // namespace farm::bench
