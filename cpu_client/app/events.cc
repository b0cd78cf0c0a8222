#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/command.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/screen.h"
#include "cpu_client/app/source_data.h"
#include "cpu_client/events/file_text.h"
#include "cpu_client/events/generator.h"

namespace farm {

namespace {

namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

constexpr std::uint32_t event_number_limit = 1'000'000'000;  // nine digits in the names of files
constexpr std::uint32_t event_limit_count = 1'000'000;       // of one command

struct Flags {
    GeneratorOptions generator;
    std::uint32_t count{1};
    std::uint32_t first{1};
    std::string folder;
    std::string detector;
    std::string replay;
    std::string json_file;
    bool without_cells{false};
    bool overwrite{false};
};

/// What one event came to.
struct EventFigures {
    std::uint32_t number{0};
    std::size_t hit_count{0}, noise_count{0}, particle_count{0};
    double make_s{0}, write_s{0};
};

EventFigures count(std::uint32_t number, const TrackmlEvent& event) {
    EventFigures figures{number, event.hits.size(), 0, event.particles.size(), 0, 0};
    for (const TruthHit& truth : event.truth) figures.noise_count += truth.particle_id == 0;
    return figures;
}

std::string event_line(const EventFigures& e) {
    return fmt::format("event {:>9}  {:>7} hits  {:>6} noise  {:>6} particles  {:>6.2f} s",
                       e.number, e.hit_count, e.noise_count, e.particle_count,
                       e.make_s + e.write_s);
}

std::string events_json(const Flags& flags, const std::vector<EventFigures>& events) {
    nlohmann::ordered_json json;
    json["seed"] = flags.generator.seed;
    json["detector"] = flags.detector;
    if (flags.replay.empty()) {
        json["pileup"] = flags.generator.collision.pileup;
        json["z_width_mm"] = flags.generator.collision.z_width;
    } else {
        json["replay"] = flags.replay;
    }
    json["events"] = nlohmann::ordered_json::array();
    for (const EventFigures& e : events) {
        json["events"].push_back({{"number", e.number},
                                  {"hits", e.hit_count},
                                  {"noise", e.noise_count},
                                  {"particles", e.particle_count},
                                  {"make_s", e.make_s},
                                  {"write_s", e.write_s}});
    }
    return json.dump(2) + "\n";
}

Result<EventFigures> make_event(const Flags& flags, const EventGenerator& generator,
                                const std::vector<Particle>& replayed, std::uint32_t number) {
    const auto begin = std::chrono::steady_clock::now();
    const auto event =
        replayed.empty() ? generator.generate(number) : generator.replay(replayed, number);
    if (!event) return tl::unexpected(event.error());
    const auto made = std::chrono::steady_clock::now();
    const auto done = write_event(event_prefix(flags.folder, number), *event);
    if (!done) return tl::unexpected(done.error());
    EventFigures figures = count(number, *event);
    figures.make_s = Seconds(made - begin).count();
    figures.write_s = Seconds(std::chrono::steady_clock::now() - made).count();
    return figures;
}

/// Empty without --replay.
Result<std::vector<Particle>> replayed_particles(const Flags& flags) {
    if (flags.replay.empty()) return std::vector<Particle>{};
    auto particles = read_particles(flags.replay);
    if (particles && particles->empty()) {
        return fail(ErrorCode::invalid,
                    "file '" + flags.replay + "' has no particles (one is needed): give another");
    }
    return particles;
}

Result<void> make_folder(const std::string& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (!error) return {};
    return fail(ErrorCode::io, "folder '" + folder + "' cannot be made (" + error.message() +
                                   "): give another with --out");
}

/// Before the first event is made: particles to replay may lie in the folder themselves.
Result<void> check_no_event_is_there(const Flags& flags) {
    for (std::uint32_t i = 0; i < flags.count; ++i) {
        const auto there = find_event_file(event_prefix(flags.folder, flags.first + i));
        if (!there) continue;
        return fail(ErrorCode::invalid, "file '" + there->string() +
                                            "' is there already (it would be replaced): give "
                                            "another --out or --first, or --overwrite");
    }
    return {};
}

/// Before the first event is made, not after hours; leaves what is in the file, and none where
/// there was none.
Result<void> check_writable(const std::string& file) {
    if (file.empty()) return {};
    std::error_code error;
    const bool was_there = fs::exists(file, error);
    if (std::ofstream(file, std::ios::app)) {
        if (!was_there) fs::remove(file, error);
        return {};
    }
    error = {errno, std::generic_category()};
    return fail(ErrorCode::io, "file '" + file + "' cannot be written (" + error.message() +
                                   "): give another with --json");
}

Result<void> check_numbers(const Flags& flags) {
    if (flags.count > event_number_limit - flags.first) {
        return fail(ErrorCode::invalid,
                    fmt::format("--first {} and --count {} go beyond event {} (nine digits): "
                                "begin earlier",
                                flags.first, flags.count, event_number_limit - 1));
    }
    return {};
}

Result<void> make_events(const Flags& flags) {
    if (const auto done = check_numbers(flags); !done) return done;
    if (!flags.overwrite) {
        if (const auto done = check_no_event_is_there(flags); !done) return done;
    }
    const auto detector = read_detector(flags.detector);
    if (!detector) return tl::unexpected(detector.error());
    const auto generator = EventGenerator::make(*detector, flags.generator);
    if (!generator) return tl::unexpected(generator.error());
    const auto replayed = replayed_particles(flags);
    if (!replayed) return tl::unexpected(replayed.error());
    if (const auto done = make_folder(flags.folder); !done) return done;
    if (const auto done = check_writable(flags.json_file); !done) return done;
    Screen screen;
    std::vector<EventFigures> events;
    for (std::uint32_t i = 0; i < flags.count; ++i) {
        screen.bar(static_cast<double>(i) / flags.count,
                   fmt::format("{} of {} events", i, flags.count));
        const auto figures = make_event(flags, *generator, *replayed, flags.first + i);
        if (!figures) return tl::unexpected(figures.error());
        screen.line(event_line(*figures));
        if (!flags.json_file.empty()) events.push_back(*figures);
    }
    if (flags.json_file.empty()) return {};
    return write_file_text(flags.json_file, events_json(flags, events));
}

}  // namespace

Command declare_events(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    flags->detector = source_data("trackml/detectors.csv");
    GeneratorOptions& generator = flags->generator;
    CLI::App* app = tool.add_subcommand(
        "events", "Make events with truth: particles through a detector, as TrackML files");
    app->add_option("--out", flags->folder, "Folder to write to; made when absent")->required();
    app->add_option("--pileup", generator.collision.pileup,
                    "Mean number of interactions beside the hard scatter")
        ->check(CLI::Range(0.0, pileup_limit))
        ->capture_default_str();
    app->add_option("--count", flags->count, "Number of events")
        ->check(CLI::Range(1U, event_limit_count))
        ->capture_default_str();
    app->add_option("--first", flags->first, "Number of the first event")
        ->check(CLI::Range(0U, event_number_limit - 1))
        ->capture_default_str();
    app->add_option("--seed", generator.seed, "The same seed and number give the same event")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app->add_option("--detector", flags->detector, "Modules, with the columns of detectors.csv")
        ->capture_default_str();
    app->add_option("--replay", flags->replay,
                    "Particles to use instead of drawn ones: a TrackML ...-particles.csv");
    app->add_option("--z-width", generator.collision.z_width,
                    "Width of the beam spot in z, in mm (the two TrackML sets have 5.9 and 61)")
        ->check(CLI::Range(0.0, 1000.0))
        ->capture_default_str();
    app->add_option("--threads", generator.thread_count, "Threads; 0: one for each core")
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
    app->add_flag("--no-cells", flags->without_cells, "Leave out ...-cells.csv, half of the bytes");
    app->add_flag("--overwrite", flags->overwrite, "Replace events that are in the folder already");
    app->add_option("--json", flags->json_file, "Write what was made as JSON");
    app->footer(
        "Event 7 of a seed is the same on any number of threads, alone or among others.\n\n"
        "Examples:\n"
        "  farm events --pileup 200 --count 10 --seed 1 --out events\n"
        "  farm events --pileup 20 --count 1000 --first 1000 --no-cells --out train\n"
        "  farm events --replay data/trackml/event000001000-particles.csv --out replay");
    return {app, [flags] {
                flags->generator.with_cells = !flags->without_cells;
                const auto done = make_events(*flags);
                return done ? 0 : report(done.error());
            }};
}

}  // namespace farm
