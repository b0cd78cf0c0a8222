#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/ops/npy.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/screen.h"
#include "cpu_client/app/source_data.h"
#include "cpu_client/app/track_events.h"
#include "cpu_client/app/track_pictures.h"
#include "cpu_client/app/track_report.h"
#include "cpu_client/app/track_service.h"
#include "cpu_client/events/file_text.h"
#include "cpu_client/events/track_labels.h"
#include "cpu_client/pipeline/event_loop.h"

namespace farm {

namespace {

namespace fs = std::filesystem;

struct Flags {
    ConnectionFlags connection;
    LocalFlags local;
    std::vector<std::string> events;
    bool truth{false};
    std::string model{"tracks"};
    std::string output_folder{"tracks"};
    std::string json_file;
    std::string picture_file;
    ParticleSelection selection;
    std::vector<double> scales;  ///< R, PHI, Z; empty: as the service says
    std::uint32_t concurrency{4};
    double deadline_s{600};
};

/// An event on its way.
struct Event {
    EventFiles files;
    TrackmlEvent data;
    std::optional<EventTruth> truth;
    Inference answer;
    FoundTracks found;
    std::optional<Error> problem;  ///< on this side
};

Result<TrackmlEvent> read_files(const fs::path& prefix, bool truth) {
    if (truth) return read_event(prefix, Cells::leave);
    auto hits = read_hits(prefix.string() + "-hits.csv");
    if (!hits) return tl::unexpected(hits.error());
    TrackmlEvent event;
    event.hits = std::move(*hits);
    return event;
}

Result<void> write_labels(const Event& event, const fs::path& folder) {
    const std::string base = (folder / event.files.name).string();
    const Tensor labels{
        {"labels", dtype::i64, {static_cast<std::int64_t>(event.found.labels.size())}},
        Buffer::view_of(std::as_bytes(std::span(event.found.labels)))};
    return write_file_text(base + "-tracks.csv",
                           format_submission(event.data.hits, event.found.labels))
        .and_then([&] { return write_npy(base + "-labels.npy", labels); });
}

/// The steps of an event, and what is left when all are done. Steps run on several threads; what
/// changes here is touched by the serial ones only.
class TrackRun {
  public:
    TrackRun(const Flags& flags, std::vector<EventFiles> events, Client& client,
             TrackService service)
        : flags_(flags),
          events_(std::move(events)),
          client_(client),
          service_(std::move(service)),
          screen_(stderr) {}

    /// Stops at the first event that fails. Gives the exit code, and has told of the failure.
    int run() {
        EventSteps<Event> steps;
        steps.read = [this](Event& event) { return read(event); };
        steps.prepare = [this](Event& event) { return prepare(event); };
        steps.call = [this](Event& event, EventDone done) { call(event, std::move(done)); };
        steps.finish = [this](Event& event) { return finish(event); };
        steps.output = [this](Event& event, CallStatus status) { put_out(event, status); };
        EventLoopOptions options;
        options.in_flight_count = flags_.concurrency;
        options.on_failure = EventLoopOptions::OnFailure::stop_reading;
        show_progress();
        run_event_loop(steps, options);
        screen_.close();
        return exit_code_;
    }

    const TrackSummary& summary() const { return summary_; }
    /// The first of the events.
    const Event& shown() const { return shown_; }

  private:
    bool read(Event& event) {
        if (next_ == events_.size()) return false;
        event.files = events_[next_++];
        return true;
    }

    std::optional<CallStatus> prepare(Event& event) const {
        auto data = read_files(event.files.prefix, flags_.truth);
        if (!data) return refuse(event, data.error());
        event.data = std::move(*data);
        if (!flags_.truth) return std::nullopt;
        auto truth = EventTruth::make(event.data, flags_.selection);
        if (!truth) return refuse(event, truth.error());
        event.truth = std::move(*truth);
        return std::nullopt;
    }

    void call(Event& event, EventDone done) const {
        CallOptions options;
        options.deadline = duration_of(flags_.deadline_s);
        client_.infer(service_.name(), service_.inputs(event.data.hits, flags_.truth), options,
                      [&event, done = std::move(done)](Inference answer) {
                          event.answer = std::move(answer);
                          done(event.answer.status);
                      });
    }

    CallStatus finish(Event& event) const {
        auto found = TrackService::read(event.answer, event.data.hits.size(),
                                        event.truth ? &*event.truth : nullptr);
        if (!found) return refuse(event, found.error());
        event.found = std::move(*found);
        const auto written = write_labels(event, flags_.output_folder);
        return written ? CallStatus::ok : refuse(event, written.error());
    }

    void put_out(Event& event, CallStatus status) {
        if (status != CallStatus::ok) return tell(event, status);
        summary_.add(event.found);
        screen_.line(fmt::format("{}  {:>7} hits  {:>6} tracks  {:>7.2f} s  {}", event.files.name,
                                 event.data.hits.size(), event.found.track_count,
                                 std::chrono::duration<double>(event.answer.elapsed).count(),
                                 event.answer.made_by.worker));
        show_progress();
        if (event.files.prefix == events_.front().prefix) shown_ = std::move(event);
    }

    void tell(const Event& event, CallStatus status) {
        screen_.close();
        const int code = event.problem
                             ? report(*event.problem)
                             : report(status, event.files.name + ": " + event.answer.detail);
        if (exit_code_ == 0) exit_code_ = code;
    }

    void show_progress() {
        const auto done = summary_.event_count();
        screen_.bar(static_cast<double>(done) / static_cast<double>(events_.size()),
                    fmt::format("{} of {} events", done, events_.size()));
    }

    static CallStatus refuse(Event& event, const Error& error) {
        event.problem = error;
        return CallStatus::invalid;
    }

    const Flags& flags_;
    const std::vector<EventFiles> events_;
    Client& client_;
    const TrackService service_;
    Screen screen_;
    std::size_t next_{0};
    TrackSummary summary_;
    Event shown_;
    int exit_code_{0};
};

Result<void> draw(const Flags& flags, const TrackRun& run) {
    if (flags.picture_file.empty()) return {};
    const Event& event = run.shown();
    const EventTruth* truth = event.truth ? &*event.truth : nullptr;
    return write_pictures(flags.picture_file,
                          {event.files.name, event.data.hits, event.found.labels, truth},
                          run.summary(), flags.selection)
        .map([](const std::vector<fs::path>& files) {
            for (const fs::path& file : files) std::printf("picture        %s\n", file.c_str());
        });
}

Result<void> tell(const Flags& flags, const TrackRun& run) {
    std::fputs(track_text(run.summary(), flags.selection).c_str(), stdout);
    std::printf("\nlabels         %s\n",
                (fs::path(flags.output_folder) / "...-tracks.csv, ...-labels.npy").c_str());
    const auto drawn = draw(flags, run);
    if (!drawn || flags.json_file.empty()) return drawn;
    return write_file_text(flags.json_file, track_json(run.summary(), flags.selection));
}

int track(const Flags& flags) {
    auto events = find_events(flags.events);
    if (!events) return report(events.error());
    const auto made = make_folder(flags.output_folder, "give another with --out");
    if (!made) return report(made.error());
    auto client = connect(flags.connection, flags.local);
    if (!client) return report(client.error());
    std::optional<FeatureScales> scales;
    if (!flags.scales.empty()) scales = {flags.scales[0], flags.scales[1], flags.scales[2]};
    auto service = TrackService::find(*client, flags.model, scales, timeout(flags.connection));
    if (!service) return report(service.error());
    TrackRun run(flags, std::move(*events), *client, std::move(*service));
    if (const int code = run.run(); code != 0) return code;
    const auto told = tell(flags, run);
    return told ? 0 : report(told.error());
}

void add_selection_flags(CLI::App& app, ParticleSelection& selection) {
    app.add_option("--pt-min", selection.pt_min, "Metrics are of particles from this pT on, in GeV")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--hits-min", selection.hits_min, "... with so many hits or more")
        ->capture_default_str();
    app.add_option("--eta-max", selection.eta_max, "... and up to this |eta|")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
}

}  // namespace

Command declare_track(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    flags->local.models = source_data("models");
    CLI::App* app =
        tool.add_subcommand("track", "Find the tracks of TrackML events on the farm, or here");
    app->add_option("EVENT", flags->events,
                    "DIR/event000000001 (files ...-hits.csv and so on), or a folder of events")
        ->required();
    app->add_flag("--truth", flags->truth,
                  "Judge the tracks by ...-truth.csv and ...-particles.csv");
    add_local_flags(*app, flags->local);
    app->add_option("--model", flags->model, "The service: FEATURES in, LABELS out")
        ->capture_default_str();
    app->add_option("--scales", flags->scales,
                    "R,PHI,Z: mm, rad and mm of one unit of its FEATURES (default: as the service "
                    "says, or 1000, pi and 1000)")
        ->delimiter(',')
        ->expected(3)
        ->check(CLI::PositiveNumber);
    app->add_option("--out", flags->output_folder,
                    "Folder for ...-tracks.csv (hit_id,track_id; 0: none) and ...-labels.npy "
                    "(of each hit; -1: none)")
        ->capture_default_str();
    app->add_option("--json", flags->json_file, "Write the summary as JSON");
    app->add_option(
        "--picture", flags->picture_file,
        "FILE.svg: draw the first event; with --truth also the rates, as FILE-rates.svg");
    add_selection_flags(*app, flags->selection);
    app->add_option("--concurrency", flags->concurrency, "Events under way at a time")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app->add_option("--deadline", flags->deadline_s, "Seconds that one event may take")
        ->check(CLI::Range(0.001, 86400.0))
        ->capture_default_str();
    add_connection_flags(*app, flags->connection);
    app->footer(
        "Examples:\n"
        "  farm events --pileup 20 --count 10 --out events\n"
        "  farm track events --truth --local --picture event.svg\n"
        "  farm track events/event000000003 --broker tcp://head:5600 --json tracks.json\n\n" +
        exit_code_help());
    return {app, [flags] { return track(*flags); }};
}

}  // namespace farm
