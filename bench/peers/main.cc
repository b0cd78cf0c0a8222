#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/peers/echo_path.h"
#include "common/core/version.h"

namespace {

using namespace farm;
using namespace farm::bench;
namespace fs = std::filesystem;

struct Flags {
    std::string serve;
    std::string url;
    std::string backend_url;
    std::string farm_bin;
    std::string json;
    int repeats{5};
    double seconds{1};
    std::vector<std::size_t> bytes{1024, 65'536, 1'048'576, 16'777'216};
    std::vector<int> outstanding{1, 8};
    std::vector<std::string> paths{"zmq", "zmq_proxy", "grpc", "routed", "routed_curve"};
};

/// All repeats of one path under one load.
struct Row {
    std::string path;
    Load load;
    std::vector<Sample> samples;

    double median(double Sample::*field) const {
        std::vector<double> values;
        for (const Sample& sample : samples) values.push_back(sample.*field);
        std::sort(values.begin(), values.end());
        return values[values.size() / 2];
    }
    double spread() const {
        const auto [low, high] = std::minmax_element(
            samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.calls_per_s < b.calls_per_s; });
        return (high->calls_per_s - low->calls_per_s) / median(&Sample::calls_per_s);
    }
    double mb_per_s() const {
        return median(&Sample::calls_per_s) * static_cast<double>(load.bytes) / 1e6;
    }
};

std::string cpu_model() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

Result<std::unique_ptr<EchoPath>> make_path(const std::string& name, const PathOptions& options) {
    if (name == "zmq") return make_zmq_path(options);
    if (name == "zmq_proxy") return make_zmq_proxy_path(options);
    if (name == "grpc") return make_grpc_path(options);
    if (name == "routed") return make_routed_path(options, false);
    if (name == "routed_curve") return make_routed_path(options, true);
    return fail(ErrorCode::invalid,
                "path '" + name + "' is not known: zmq, zmq_proxy, grpc, routed, routed_curve");
}

void print_table(const std::vector<Row>& rows) {
    std::map<std::pair<std::size_t, int>, const Row*> proxy;
    for (const Row& row : rows) {
        if (row.path == "zmq_proxy") proxy[{row.load.bytes, row.load.outstanding}] = &row;
    }
    std::printf("%-13s %9s %4s %11s %9s %10s %10s %7s %10s %9s\n", "path", "bytes", "out",
                "calls/s", "MB/s", "p50 us", "p99 us", "spread", "calls/prx", "p50/prx");
    for (const Row& row : rows) {
        const auto peer = proxy.find({row.load.bytes, row.load.outstanding});
        const double calls = row.median(&Sample::calls_per_s);
        const double p50 = row.median(&Sample::p50_us);
        std::printf("%-13s %9zu %4d %11.0f %9.1f %10.1f %10.1f %6.0f%%", row.path.c_str(),
                    row.load.bytes, row.load.outstanding, calls, row.mb_per_s(), p50,
                    row.median(&Sample::p99_us), 100 * row.spread());
        if (peer != proxy.end()) {
            std::printf(" %10.2f %9.2f", calls / peer->second->median(&Sample::calls_per_s),
                        p50 / peer->second->median(&Sample::p50_us));
        }
        std::printf("\n");
    }
}

nlohmann::json to_json(const std::vector<Row>& rows, int repeats) {
    nlohmann::json list = nlohmann::json::array();
    for (const Row& row : rows) {
        list.push_back({{"path", row.path},
                        {"bytes", row.load.bytes},
                        {"outstanding", row.load.outstanding},
                        {"calls_per_s", row.median(&Sample::calls_per_s)},
                        {"mb_per_s", row.mb_per_s()},
                        {"p50_us", row.median(&Sample::p50_us)},
                        {"p99_us", row.median(&Sample::p99_us)},
                        {"spread", row.spread()},
                        {"repeats", repeats}});
    }
    return list;
}

Result<void> measure_all(const Flags& flags, const PathOptions& options, std::vector<Row>& rows) {
    std::vector<std::unique_ptr<EchoPath>> paths;
    for (const std::string& name : flags.paths) {
        auto path = make_path(name, options);
        if (!path) return tl::unexpected(path.error());
        paths.push_back(std::move(*path));
    }
    for (const std::size_t bytes : flags.bytes) {
        for (const int outstanding : flags.outstanding) {
            const std::size_t first = rows.size();
            for (const auto& path : paths)
                rows.push_back({path->name(), {bytes, outstanding, flags.seconds}, {}});
            // All paths take turns in each repeat, so that a drifting machine drifts for all.
            for (int repeat = -1; repeat < flags.repeats; ++repeat) {
                for (std::size_t i = 0; i < paths.size(); ++i) {
                    Load load = rows[first + i].load;
                    if (repeat < 0) load.seconds /= 4;  // warm-up
                    const auto sample = paths[i]->run(load);
                    if (!sample) return tl::unexpected(sample.error());
                    if (repeat >= 0) rows[first + i].samples.push_back(*sample);
                }
                std::fprintf(stderr, "\r%zu bytes, %d outstanding: repeat %d of %d ", bytes,
                             outstanding, repeat + 1, flags.repeats);
            }
        }
    }
    std::fprintf(stderr, "\n");
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app("Echoes tensors through eventfarm and its peers, in turns, and prints the ratios");
    app.add_option("--serve", flags.serve)->group("");
    app.add_option("--url", flags.url)->group("");
    app.add_option("--backend-url", flags.backend_url)->group("");
    app.add_option("--farm-bin", flags.farm_bin,
                   "Folder with farm-broker and farm-worker in it (default: this build's)");
    app.add_option("--json", flags.json, "Write the figures to this file");
    app.add_option("--repeats", flags.repeats, "Measurements of each row")->capture_default_str();
    app.add_option("--seconds", flags.seconds, "Length of one measurement")->capture_default_str();
    app.add_option("--bytes", flags.bytes, "Sizes of question and answer")->delimiter(',');
    app.add_option("--outstanding", flags.outstanding, "Calls kept outstanding")->delimiter(',');
    app.add_option("--paths", flags.paths, "Which paths")->delimiter(',');
    CLI11_PARSE(app, argc, argv);

    if (flags.serve == "zmq") return serve_zmq_echo(flags.url, false);
    if (flags.serve == "zmq-worker") return serve_zmq_echo(flags.url, true);
    if (flags.serve == "zmq-proxy") return serve_zmq_proxy(flags.url, flags.backend_url);
    if (flags.serve == "grpc") return serve_grpc(flags.url);

    const auto scratch = fs::temp_directory_path() / ("farm-peers-" + std::to_string(::getpid()));
    fs::create_directories(scratch);
    const fs::path self = fs::canonical("/proc/self/exe");
    const fs::path build = self.parent_path().parent_path().parent_path();
    const fs::path bin = flags.farm_bin;
    const PathOptions options{
        self.string(),
        (bin.empty() ? build / "broker/app/farm-broker" : bin / "farm-broker").string(),
        (bin.empty() ? build / "gpu_worker/app/farm-worker" : bin / "farm-worker").string(),
        scratch.string()};
    std::vector<Row> rows;
    const auto done = measure_all(flags, options, rows);
    fs::remove_all(scratch);
    if (!done) {
        std::fprintf(stderr, "peers: error: %s\n", done.error().message.c_str());
        return 1;
    }
    std::printf("%s, %u cores, loopback TCP, eventfarm %s, median of %d x %.1f s\n",
                cpu_model().c_str(), std::thread::hardware_concurrency(),
                std::string(version).c_str(), flags.repeats, flags.seconds);
    print_table(rows);
    if (!flags.json.empty()) {
        std::ofstream(flags.json) << to_json(rows, flags.repeats).dump(1) << "\n";
    }
    return 0;
}
