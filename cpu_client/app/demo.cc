#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "common/ops/host.h"
#include "cpu_client/app/child_farm.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/demo_events.h"
#include "cpu_client/app/demo_report.h"
#include "cpu_client/app/demo_story.h"
#include "cpu_client/app/demo_stream.h"
#include "cpu_client/app/direct_rate.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/farm_ready.h"
#include "cpu_client/app/screen.h"
#include "cpu_client/app/source_data.h"
#include "cpu_client/app/track_pictures.h"
#include "cpu_client/events/file_text.h"
#include "cpu_client/events/particle_gun.h"

namespace farm {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view model = "tracks";
const ParticleSelection selection;  // the default one
constexpr auto look_interval = std::chrono::milliseconds(20);
constexpr auto start_limit = std::chrono::seconds(30);
constexpr auto stop_grace = std::chrono::seconds(5);
constexpr auto status_limit = std::chrono::seconds(2);

struct Flags {
    std::string models;
    DemoEventOptions events;
    std::string output_folder{"farm-demo"};
    std::string json_file;
    std::uint32_t workers{2};
    std::uint32_t in_flight{8};
    double seconds{120};
    double bench_seconds{4};
};

/// A temporary folder for sockets, logs and bench inputs; goes with the demo unless it failed.
class Scratch {
  public:
    static Result<Scratch> make() {
        std::string name = (fs::temp_directory_path() / "eventfarm-demo-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            return fail(ErrorCode::io, "cannot make a temporary folder '" + name + "': set TMPDIR");
        }
        return Scratch(name);
    }
    ~Scratch() {
        std::error_code ignored;
        if (!folder_.empty() && !kept_) fs::remove_all(folder_, ignored);
    }
    Scratch(Scratch&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
    Scratch& operator=(Scratch&&) = delete;

    const fs::path& folder() const { return folder_; }
    void keep() { kept_ = true; }

  private:
    explicit Scratch(fs::path folder) : folder_(std::move(folder)) {}
    fs::path folder_;
    bool kept_{false};
};

/// Runs the story: looks at stream and broker, acts, tells. Lives on the main thread, which owns
/// the child processes.
class Director {
  public:
    Director(const Flags& flags, ChildFarm& farm, Client& client, Signals& signals, Screen& screen)
        : flags_(flags), farm_(farm), client_(client), signals_(signals), screen_(screen) {}

    Result<void> start_workers() {
        for (std::uint32_t i = 0; i < flags_.workers; ++i) {
            const auto started = start_worker();
            if (!started) return started;
        }
        const TimePoint limit = steady_now() + start_limit;
        while (steady_now() < limit) {
            if (const auto alive = farm_.check(); !alive) return tl::unexpected(alive.error());
            const auto report = client_.status(status_limit);
            if (report) {
                std::uint32_t serving = 0;
                for (const std::string& name : result_.workers) {
                    const std::string why = load_failure(*report, name, model);
                    if (!why.empty()) {
                        return fail(
                            ErrorCode::invalid,
                            fmt::format("model '{}' did not load on {}: {}", model, name, why));
                    }
                    if (serves(*report, name, model)) ++serving;
                }
                if (serving == flags_.workers) return {};
            }
            if (wait_for_stop(signals_, look_interval)) return interrupted();
        }
        return fail(
            ErrorCode::unavailable,
            fmt::format("the workers were not ready after {} s (slow disk?): see their logs",
                        start_limit.count()));
    }

    /// Streams until the story is over. Errors: interrupted, a child ended by itself.
    Result<void> play(const StreamOptions& options, const TrackService& service) {
        DemoStory story(options.events.size());
        screen_.line(event_heading());
        std::jthread stream([&](std::stop_token stop) {
            first_pass_ =
                stream_events(options, service, client_, record_, stop,
                              [&](const EventLine& line) { screen_.line(event_text(line)); });
        });
        const TimePoint limit = steady_now() + std::chrono::duration_cast<Duration>(
                                                   std::chrono::duration<double>(flags_.seconds));
        Result<void> outcome;
        while (!story.is_over() && steady_now() < limit && outcome) {
            outcome = look_and_act(story);
            if (outcome && wait_for_stop(signals_, look_interval)) outcome = interrupted();
            // Five passes are what the story usually takes.
            screen_.bar(std::min(0.99, static_cast<double>(record_.done_count()) /
                                           (5.0 * static_cast<double>(options.events.size()))),
                        fmt::format("{} events  {}", record_.done_count(), story.waiting_for()));
        }
        if (outcome && !story.is_over()) {
            screen_.line(fmt::format("--- {:g} s are over, while waiting for: {}", flags_.seconds,
                                     story.waiting_for()));
        }
        stream.request_stop();
        stream.join();
        screen_.close();
        return outcome;
    }

    DemoResult result() const {
        DemoResult result = result_;
        result.figures = record_.figures();
        result.tracks = first_pass_.summary;
        return result;
    }
    /// After play().
    const FirstPass& first_pass() const { return first_pass_; }

  private:
    static tl::unexpected<Error> interrupted() {
        return fail(ErrorCode::unavailable, "the demo was interrupted");
    }

    Result<void> start_worker() {
        const std::string name = fmt::format("worker-{}", result_.workers.size() + 1);
        const auto started = farm_.start_worker(name);
        if (started) result_.workers.push_back(name);
        return started;
    }

    Result<void> look_and_act(DemoStory& story) {
        if (const auto alive = farm_.check(); !alive) return tl::unexpected(alive.error());
        const auto report = client_.status(status_limit);
        if (report) note(*report);
        switch (story.next(facts(report ? &*report : nullptr))) {
            case DemoStory::Action::start_newcomer: return start_newcomer();
            case DemoStory::Action::kill_victim: kill_victim(); break;
            case DemoStory::Action::finish: result_.recovered = true; break;
            case DemoStory::Action::none: break;
        }
        return {};
    }

    DemoStory::Facts facts(const StatusReport* report) const {
        DemoStory::Facts facts;
        facts.done_count = record_.done_count();
        facts.newcomer_answered = result_.join_to_first_event_ms.has_value();
        facts.open_since_kill_count = record_.open_since_kill_count();
        if (report != nullptr) {
            const WorkerStatus* victim = find_worker(*report, victim_name());
            facts.victim_has_calls = victim != nullptr && victim->outstanding_count > 0;
            facts.victim_gone = victim == nullptr || victim->state != "ready";
        }
        return facts;
    }

    /// Follows the newcomer: ready, then its first answer.
    void note(const StatusReport& report) {
        if (result_.newcomer.empty() || result_.join_to_first_event_ms) return;
        const TimePoint now = steady_now();
        if (!newcomer_ready_ && serves(report, result_.newcomer, model)) {
            newcomer_ready_ = now;
            screen_.line(
                fmt::format("--- {} is ready, {:.1f} s after its start", result_.newcomer,
                            std::chrono::duration<double>(now - newcomer_started_).count()));
        }
        const auto first = record_.first_event_of(result_.newcomer);
        if (!first || !newcomer_ready_) return;
        result_.join_to_first_event_ms = std::max(
            0.0, std::chrono::duration<double, std::milli>(*first - *newcomer_ready_).count());
        screen_.line(fmt::format("--- {} took its first event {:.0f} ms later, and answered it",
                                 result_.newcomer, *result_.join_to_first_event_ms));
    }

    Result<void> start_newcomer() {
        newcomer_started_ = steady_now();
        const auto started = start_worker();
        if (!started) return started;
        result_.newcomer = result_.workers.back();
        screen_.line(fmt::format("--- {} starts", result_.newcomer));
        return {};
    }

    void kill_victim() {
        farm_.kill_worker(victim_name());
        result_.victim = victim_name();
        result_.open_at_kill_count = record_.mark_kill();
        screen_.line(fmt::format("--- {} is killed (SIGKILL) with {} events open", result_.victim,
                                 result_.open_at_kill_count));
    }

    const std::string& victim_name() const { return result_.workers.front(); }

    const Flags& flags_;
    ChildFarm& farm_;
    Client& client_;
    Signals& signals_;
    Screen& screen_;
    DemoRecord record_;
    FirstPass first_pass_;  ///< written by the stream's thread until it has ended
    DemoResult result_;
    TimePoint newcomer_started_{};
    std::optional<TimePoint> newcomer_ready_;
};

Result<ChildFarm> start_broker(const Flags& flags, const fs::path& scratch) {
    ChildFarm::Options options;
    options.bind_url = "ipc://" + (scratch / "broker.sock").string();
    options.models = flags.models;
    options.log_folder = scratch;
    options.worker_options = {"--only", std::string(model)};
    options.broker_options = {"--beat-ms", "500"};  // a lost worker is known after four beats
    return ChildFarm::start(std::move(options));
}

/// Pictures and summary of what the first pass has found.
Result<std::vector<fs::path>> write_tracks(const Flags& flags, const StreamOptions& options,
                                           const FirstPass& pass) {
    if (pass.shown_labels.empty()) return std::vector<fs::path>{};
    const fs::path folder = flags.output_folder;
    std::error_code error;  // shows in the writing
    fs::create_directories(folder, error);
    const DemoEvent& shown = options.events.front();
    auto files = write_pictures(folder / "event.svg",
                                {shown.name, shown.hits, pass.shown_labels, &shown.truth},
                                pass.summary, selection);
    if (!files) return files;
    files->push_back(folder / "tracks.json");
    const auto written = write_file_text(files->back(), track_json(pass.summary, selection));
    if (!written) return tl::unexpected(written.error());
    return files;
}

Result<DemoResult> play(const Flags& flags, const StreamOptions& options, const fs::path& scratch,
                        ChildFarm& farm, Client& client, Screen& screen, Signals& signals) {
    Director director(flags, farm, client, signals, screen);
    screen.line(fmt::format("Starting a broker and {} workers that find tracks", flags.workers));
    const auto started = director.start_workers();
    if (!started) return tl::unexpected(started.error());
    const auto service = TrackService::find(client, std::string(model), {}, status_limit);
    if (!service) return tl::unexpected(service.error());
    screen.line(fmt::format("Streaming {} generated events with pile-up {:g}\n",
                            options.events.size(), flags.events.pileup));
    const auto played = director.play(options, *service);
    if (!played) return tl::unexpected(played.error());
    auto files = write_tracks(flags, options, director.first_pass());
    if (!files) return tl::unexpected(files.error());
    const auto written = write_bench_inputs(options.events, *service, scratch / "inputs");
    if (!written) return tl::unexpected(written.error());
    DemoResult result = director.result();
    result.files = std::move(*files);
    return result;
}

/// The farm's part: from the start of the broker to its end.
Result<DemoResult> run_farm(const Flags& flags, const StreamOptions& options,
                            const fs::path& scratch, Screen& screen, Signals& signals) {
    auto farm = start_broker(flags, scratch);
    if (!farm) return tl::unexpected(farm.error());
    ConnectionFlags connection;
    connection.broker = farm->url();
    connection.direct = DirectUse::never;  // the broker shall see which worker holds calls
    Result<DemoResult> result;
    {
        auto client = connect(connection);
        if (!client) return tl::unexpected(client.error());
        result = play(flags, options, scratch, *farm, *client, screen, signals);
    }
    farm->stop(stop_grace);
    return result;
}

Result<DemoResult> run_demo(const Flags& flags, const std::vector<DemoEvent>& events,
                            const fs::path& scratch, Signals& signals) {
    Screen screen;
    StreamOptions options;
    options.events = events;
    options.in_flight_count = flags.in_flight;
    auto result = run_farm(flags, options, scratch, screen, signals);
    if (!result) return result;
    screen.line("\nThe same events without the farm ...");
    auto direct = measure_direct_rate(std::string(model), flags.models, scratch / "inputs",
                                      flags.bench_seconds, scratch);
    if (!direct) return tl::unexpected(direct.error());
    result->direct = *direct;
    return result;
}

int tell(const DemoResult& result, const Flags& flags) {
    std::printf("\n%s\n%s", demo_text(result).c_str(),
                track_text(result.tracks, selection).c_str());
    for (const fs::path& file : result.files) std::printf("wrote          %s\n", file.c_str());
    std::fflush(stdout);
    if (!flags.json_file.empty()) {
        const auto written = write_file_text(flags.json_file, demo_json(result));
        if (!written) return report(written.error());
    }
    if (result.ok()) return 0;
    report(
        {ErrorCode::io,
         fmt::format("the demo did not show all ({} events lost, join {}, kill {})",
                     result.figures.lost_count, result.join_to_first_event_ms ? "seen" : "not seen",
                     result.recovered ? "survived" : "not survived")});
    return 1;
}

int run(const Flags& flags) {
    Signals signals;
    const auto events = make_demo_events(flags.events, selection);
    if (!events) return report(events.error());
    auto scratch = Scratch::make();
    if (!scratch) return report(scratch.error());
    const auto result = run_demo(flags, *events, scratch->folder(), signals);
    const int code = result ? tell(*result, flags) : report(result.error());
    if (code == 0) return 0;
    scratch->keep();
    std::fprintf(stderr, "Logs are in %s\n", scratch->folder().c_str());
    return 1;
}

}  // namespace

Command declare_demo(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    flags->models = source_data("models");
    flags->events.detector = source_data("trackml/detectors.csv");
    CLI::App* app = tool.add_subcommand(
        "demo", "Tracks of generated events on a farm here; a worker joins, one is killed");
    app->add_option("--models", flags->models, "Model repository with 'tracks'")
        ->capture_default_str();
    app->add_option("--events", flags->events.count, "Events to make and to stream over and over")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app->add_option("--pileup", flags->events.pileup, "Their mean pile-up")
        ->check(CLI::Range(0.0, pileup_limit))
        ->capture_default_str();
    app->add_option("--seed", flags->events.seed, "Their seed")->capture_default_str();
    app->add_option("--detector", flags->events.detector, "Modules, as in detectors.csv")
        ->capture_default_str();
    app->add_option("--out", flags->output_folder, "Folder for the pictures and tracks.json")
        ->capture_default_str();
    app->add_option("--json", flags->json_file, "Write the summary of the farm as JSON");
    app->add_option("--workers", flags->workers, "Workers at the start")
        ->check(CLI::Range(2, 64))
        ->capture_default_str();
    app->add_option("--in-flight", flags->in_flight, "Events under way at a time")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app->add_option("--seconds", flags->seconds, "Longest time to stream")
        ->check(CLI::Range(1.0, 3600.0))
        ->capture_default_str();
    app->add_option("--bench-seconds", flags->bench_seconds, "Time for the comparison without farm")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    app->footer(
        "Exit code 0 only if no event was lost and join and kill were seen.\n\n"
        "Examples:\n"
        "  farm demo\n"
        "  farm demo --workers 4 --json demo.json");
    return {app, [flags] { return run(*flags); }};
}

}  // namespace farm
