#include <atomic>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cpu_client/app/bench_report.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/input_maker.h"
#include "cpu_client/app/load_driver.h"
#include "cpu_client/app/load_levels.h"
#include "cpu_client/app/table.h"
#include "cpu_client/events/file_text.h"

namespace farm {

namespace {

constexpr double highest_concurrency = 4096;
constexpr double highest_rate = 1e6;

struct Flags {
    ConnectionFlags connection;
    std::string model;
    std::string concurrency;
    std::string rate;
    std::string fill{"random"};
    std::vector<std::string> inputs;
    std::string events;
    std::vector<std::string> shapes;
    std::vector<std::string> int_ranges;
    std::int64_t rows{0};
    std::uint64_t seed{1};
    std::uint32_t window_ms{1000};
    std::uint32_t window_limit{20};
    double deadline_s{60};
    std::string csv_file;
    std::string json_file;
};

Result<std::vector<LoadLevel>> parse_levels(const Flags& flags) {
    if (!flags.concurrency.empty() && !flags.rate.empty()) {
        return fail(ErrorCode::invalid, "--concurrency and --rate exclude each other: give one");
    }
    const bool is_rate = !flags.rate.empty();
    const auto values =
        is_rate ? parse_load_levels("--rate", flags.rate, highest_rate)
                : parse_load_levels("--concurrency",
                                    flags.concurrency.empty() ? "1:16" : flags.concurrency,
                                    highest_concurrency);
    if (!values) return tl::unexpected(values.error());
    std::vector<LoadLevel> levels;
    for (const double value : *values) {
        levels.push_back({is_rate ? LoadLevel::Kind::rate : LoadLevel::Kind::concurrency, value});
    }
    return levels;
}

Result<InputChoices> parse_choices(const Flags& flags) {
    InputChoices choices;
    choices.fill = flags.fill == "zero" ? InputChoices::Fill::zero : InputChoices::Fill::random;
    choices.rows = flags.rows;
    choices.seed = flags.seed;
    auto files = parse_named("--input", flags.inputs);
    if (!files) return tl::unexpected(files.error());
    choices.files = std::move(*files);
    auto shapes = parse_shapes(flags.shapes);
    if (!shapes) return tl::unexpected(shapes.error());
    choices.shapes = std::move(*shapes);
    auto ranges = parse_int_ranges(flags.int_ranges);
    if (!ranges) return tl::unexpected(ranges.error());
    choices.int_ranges = std::move(*ranges);
    return choices;
}

/// What is called, how, and with what.
struct Bench {
    Client client;
    std::vector<Inputs> events;  ///< taken in turns
    BenchSubject subject;
    CallOptions options;
};

std::uint32_t mean_rows(const std::vector<Inputs>& events) {
    std::uint64_t rows = 0;
    for (const Inputs& inputs : events) {
        const bool has_rows = !inputs.empty() && !inputs.front().value.shape.empty();
        rows += has_rows ? static_cast<std::uint64_t>(inputs.front().value.shape.front()) : 1;
    }
    return static_cast<std::uint32_t>((rows + events.size() / 2) / events.size());
}

/// One set of inputs, or with --events one of each folder.
Result<std::vector<Inputs>> read_events(const ServiceAd& service, const InputChoices& choices,
                                        const std::string& folder) {
    std::vector<InputChoices> all{choices};
    if (!folder.empty()) {
        auto folders = choose_events(service, choices, folder);
        if (!folders) return tl::unexpected(folders.error());
        all = std::move(*folders);
    }
    std::vector<Inputs> events;
    for (const InputChoices& one : all) {
        auto inputs = make_inputs(service, one);
        if (!inputs) return tl::unexpected(inputs.error());
        events.push_back(std::move(*inputs));
    }
    return events;
}

Result<Bench> prepare(const Flags& flags, const InputChoices& choices) {
    auto client = connect(flags.connection);
    if (!client) return tl::unexpected(client.error());
    auto entry = find_model(*client, flags.model, timeout(flags.connection));
    if (!entry) return tl::unexpected(entry.error());
    auto events = read_events(entry->service, choices, flags.events);
    if (!events) return tl::unexpected(events.error());
    Bench bench{std::move(*client), std::move(*events), {}, {}};
    bench.subject.service = std::move(entry->service);
    bench.subject.broker = flags.connection.broker;
    for (const Input& input : bench.events.front()) {
        bench.subject.inputs.push_back({input.name, input.value.type, input.value.shape});
    }
    bench.subject.event_count = bench.events.size();
    bench.subject.rows_per_call = mean_rows(bench.events);
    bench.options.deadline = duration_of(flags.deadline_s);
    return bench;
}

void print_subject(const BenchSubject& subject) {
    std::string inputs;
    for (const TensorDesc& desc : subject.inputs) {
        inputs += fmt::format("{}{} {} {}", inputs.empty() ? "" : ", ", desc.name,
                              to_string(desc.type), to_string(desc.shape));
    }
    std::printf(
        "%s at %s: %s%s\n%s\ntimes in ms, calls/s that ended OK; * = windows did not agree\n\n",
        printable(service_name(subject.service.model, subject.service.version)).c_str(),
        subject.broker.c_str(), printable(inputs).c_str(),
        subject.event_count > 1
            ? fmt::format(", and {} more events", subject.event_count - 1).c_str()
            : "",
        machine_text().c_str());
}

Result<void> write_files(const Flags& flags, const BenchSubject& subject,
                         const std::vector<LevelResult>& results) {
    if (!flags.csv_file.empty()) {
        const auto done = write_file_text(flags.csv_file, bench_csv(subject, results));
        if (!done) return done;
    }
    if (!flags.json_file.empty()) {
        return write_file_text(flags.json_file, bench_json(subject, results));
    }
    return {};
}

/// A level at which no call ends OK is the last. The exit code is that of the first failure.
int measure(Bench& bench, const std::vector<LoadLevel>& levels, const Flags& flags) {
    const LoadOptions load{std::chrono::milliseconds(flags.window_ms), flags.window_limit};
    std::atomic<std::size_t> next = 0;
    const StartCall start = [&](SampleDone done) {
        const Inputs& inputs = bench.events[next++ % bench.events.size()];
        bench.client.infer(flags.model, inputs, bench.options,
                           [done = std::move(done)](Inference inference) {
                               done({inference.status, std::move(inference.detail),
                                     inference.elapsed, inference.timings});
                           });
    };
    std::vector<LevelResult> results;
    std::fputs(bench_heading(levels.front().kind).c_str(), stdout);
    for (const LoadLevel& level : levels) {
        std::fflush(stdout);
        results.push_back(measure_level(start, level, load));
        const LevelResult& result = results.back();
        std::fputs(bench_row(result, bench.subject.rows_per_call).c_str(), stdout);
        if (result.ok_count == 0) break;
    }
    const auto written = write_files(flags, bench.subject, results);
    if (!written) return report(written.error());
    std::fflush(stdout);
    for (const LevelResult& result : results) {
        if (result.first_failure != CallStatus::ok) {
            return report(result.first_failure, result.failure_detail);
        }
        if (result.ok_count == 0) {
            return report(CallStatus::deadline,
                          "no call ended within its level: give --window-ms or --max-windows more");
        }
    }
    return 0;
}

int run(const Flags& flags) {
    const auto levels = parse_levels(flags);
    if (!levels) return report(levels.error());
    const auto choices = parse_choices(flags);
    if (!choices) return report(choices.error());
    auto bench = prepare(flags, *choices);
    if (!bench) return report(bench.error());
    print_subject(bench->subject);
    return measure(*bench, *levels, flags);
}

void declare_inputs(CLI::App& app, Flags& flags) {
    app.add_option("--inputs", flags.fill, "random or zero, for what --input does not give")
        ->check(CLI::IsMember({"random", "zero"}))
        ->capture_default_str();
    app.add_option("--input", flags.inputs, "NAME=FILE.npy: read this input");
    app.add_option("--events", flags.events,
                   "Folder of folders with <input>.npy in them, taken in turns (as farm-worker's "
                   "--bench-inputs)");
    app.add_option("--shape", flags.shapes, "NAME=3,4: whole shape of an input with open lengths");
    app.add_option("--rows", flags.rows,
                   "Open length of dimension 0 (default: 1 if the model batches rows, else 100)")
        ->check(CLI::PositiveNumber);
    app.add_option("--int-range", flags.int_ranges, "NAME=LOW:HIGH: values of an integer input");
    app.add_option("--seed", flags.seed, "Of the random inputs")->capture_default_str();
}

}  // namespace

Command declare_bench(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    CLI::App* app = tool.add_subcommand("bench", "Latency and throughput of a model, by load");
    app->add_option("model", flags->model, "MODEL or MODEL/VERSION")->required();
    app->add_option("--concurrency", flags->concurrency,
                    "Calls open at a time: N, FIRST:LAST (doubling) or FIRST:LAST:STEP "
                    "(default: 1:16)");
    app->add_option("--rate", flags->rate, "Calls a second instead: R, R1:R2 or R1:R2:STEP");
    declare_inputs(*app, *flags);
    app->add_option("--window-ms", flags->window_ms,
                    "A level ends when three such windows agree within 10 %")
        ->check(CLI::Range(10, 600000))
        ->capture_default_str();
    app->add_option("--max-windows", flags->window_limit, "Or after so many")
        ->check(CLI::Range(3, 1000))
        ->capture_default_str();
    app->add_option("--deadline", flags->deadline_s, "Seconds that a call may take")
        ->check(CLI::Range(0.001, 86400.0))
        ->capture_default_str();
    app->add_option("--csv", flags->csv_file, "Write the table as CSV");
    app->add_option("--json", flags->json_file, "Write all figures as JSON");
    add_connection_flags(*app, flags->connection);
    app->footer(
        "Examples:\n"
        "  farm bench gnn --concurrency 1:64\n"
        "  farm bench gnn --rate 10:50:10 --shape nodes=2000,3 --csv gnn.csv\n"
        "  farm bench gnn --input nodes=x.npy --input edge_index=e.npy");
    return {app, [flags] { return run(*flags); }};
}

}  // namespace farm
