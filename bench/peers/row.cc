#include "bench/peers/row.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace farm::bench {
namespace {

/// "  1.23  0.87": calls/s and p50 as multiples of the peer's, under the same load.
std::string ratio_text(const Row& row, const Row* peer) {
    if (peer == nullptr) return fmt::format("{:>6} {:>6}", "", "");
    const auto ratio = [&](double Sample::*field) {
        return ratio_of(row.values(field), peer->values(field)).median;
    };
    return fmt::format("{:>6.2f} {:>6.2f}", ratio(&Sample::calls_per_s), ratio(&Sample::p50_us));
}

}  // namespace

std::vector<double> Row::values(double Sample::*field) const {
    std::vector<double> list;
    for (const Sample& sample : samples) list.push_back(sample.*field);
    return list;
}

double Row::mb_per_s() const {
    return spread(&Sample::calls_per_s).median * static_cast<double>(load.bytes) / 1e6;
}

const Row* find_row(const std::vector<Row>& rows, const std::string& path, std::size_t bytes,
                    int outstanding) {
    for (const Row& row : rows) {
        if (row.path == path && row.load.bytes == bytes && row.load.outstanding == outstanding &&
            !row.samples.empty()) {
            return &row;
        }
    }
    return nullptr;
}

std::string bytes_text(std::size_t bytes) {
    constexpr std::size_t kilo = 1024;
    if (bytes >= kilo * kilo && bytes % (kilo * kilo) == 0) {
        return fmt::format("{} MB", bytes / kilo / kilo);
    }
    if (bytes >= kilo && bytes % kilo == 0) return fmt::format("{} KB", bytes / kilo);
    return fmt::format("{} B", bytes);
}

std::string row_table(const std::vector<Row>& rows) {
    std::string text = fmt::format(
        "{:<16} {:>7} {:>4} {:>9} {:>8} {:>9} {:>9} {:>6} {:^13} {:^13}\n", "PATH", "BYTES", "OPEN",
        "CALLS/S", "MB/S", "P50 US", "P99 US", "SPREAD", "/ZMQ_PROXY", "/TRITON");
    text += fmt::format("{:>74} {:>6} {:>6} {:>6}\n", "calls", "p50", "calls", "p50");
    for (const Row& row : rows) {
        const Spread calls = row.spread(&Sample::calls_per_s);
        const auto peer = [&](const char* name) {
            return find_row(rows, name, row.load.bytes, row.load.outstanding);
        };
        text += fmt::format(
            "{:<16} {:>7} {:>4} {:>9.{}f} {:>8.1f} {:>9.1f} {:>9.1f} {:>5.0f}% {} {}\n", row.path,
            bytes_text(row.load.bytes), row.load.outstanding, calls.median,
            calls.median < 100 ? 1 : 0, row.mb_per_s(), row.spread(&Sample::p50_us).median,
            row.spread(&Sample::p99_us).median, 100 * calls.relative(),
            ratio_text(row, peer("zmq_proxy")), ratio_text(row, peer("triton")));
    }
    return text;
}

std::string row_json(const std::vector<Row>& rows) {
    auto list = nlohmann::ordered_json::array();
    for (const Row& row : rows) {
        const Spread calls = row.spread(&Sample::calls_per_s);
        list.push_back({{"path", row.path},
                        {"bytes", row.load.bytes},
                        {"outstanding", row.load.outstanding},
                        {"calls_per_s", calls.median},
                        {"mb_per_s", row.mb_per_s()},
                        {"p50_us", row.spread(&Sample::p50_us).median},
                        {"p99_us", row.spread(&Sample::p99_us).median},
                        {"spread", calls.relative()},
                        {"calls_per_s_low", calls.low},
                        {"calls_per_s_high", calls.high},
                        {"repeats", row.samples.size()}});
    }
    return list.dump(1) + "\n";
}

}  // namespace farm::bench
