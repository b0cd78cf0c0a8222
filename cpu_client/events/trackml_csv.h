#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/error.h"

namespace farm {

/// Rows of the files of the TrackML challenge. Lengths in mm, momenta in GeV, charge in units of e.
struct Hit {
    std::int32_t hit_id{0};
    float x{0}, y{0}, z{0};
    std::int32_t volume_id{0}, layer_id{0}, module_id{0};

    friend bool operator==(const Hit&, const Hit&) = default;
};

/// Part of a hit's cluster: channel along u, channel along v of the module, signal.
struct Cell {
    std::int32_t hit_id{0};
    std::int32_t ch0{0}, ch1{0};
    float value{0};

    friend bool operator==(const Cell&, const Cell&) = default;
};

/// `nhits` counts the hits that it left.
struct Particle {
    std::uint64_t particle_id{0};
    float vx{0}, vy{0}, vz{0};
    float px{0}, py{0}, pz{0};
    std::int32_t q{0};
    std::int32_t nhits{0};

    friend bool operator==(const Particle&, const Particle&) = default;
};

/// Where the particle really was, and its momentum there. Noise: particle_id 0, weight 0.
struct TruthHit {
    std::int32_t hit_id{0};
    std::uint64_t particle_id{0};
    float tx{0}, ty{0}, tz{0};
    float tpx{0}, tpy{0}, tpz{0};
    float weight{0};  ///< share of the event's TrackML score

    friend bool operator==(const TruthHit&, const TruthHit&) = default;
};

/// truth[i] belongs to hits[i]; cells and particles may be empty.
struct TrackmlEvent {
    std::vector<Hit> hits;
    std::vector<TruthHit> truth;
    std::vector<Particle> particles;
    std::vector<Cell> cells;

    friend bool operator==(const TrackmlEvent&, const TrackmlEvent&) = default;
};

inline constexpr std::size_t trackml_row_limit_count = 20'000'000;
inline constexpr std::uintmax_t trackml_file_limit_bytes = 1ULL << 30;

/// Columns are found by their names, others are skipped. Errors (invalid, too_large) begin with
/// FILE:LINE:COLUMN and name column and value; `file` is only a name for them.
Result<std::vector<Hit>> parse_hits(std::string_view text, std::string_view file);
Result<std::vector<Cell>> parse_cells(std::string_view text, std::string_view file);
Result<std::vector<Particle>> parse_particles(std::string_view text, std::string_view file);
Result<std::vector<TruthHit>> parse_truth(std::string_view text, std::string_view file);

std::string format_hits(const std::vector<Hit>& hits);
std::string format_cells(const std::vector<Cell>& cells);
std::string format_particles(const std::vector<Particle>& particles);
std::string format_truth(const std::vector<TruthHit>& truth);

/// The same from a file. Further errors: not_found, io.
Result<std::vector<Hit>> read_hits(const std::filesystem::path& file);
Result<std::vector<Particle>> read_particles(const std::filesystem::path& file);

/// "FOLDER/event000000012" for number 12; the files of the event add -hits.csv and so on.
std::filesystem::path event_prefix(const std::filesystem::path& folder, std::uint32_t number);

enum class Cells : std::uint8_t { read, leave };

/// Reads PREFIX-hits.csv, -truth.csv, -particles.csv, and -cells.csv when it is there. Further
/// errors (invalid): truth with other hits than the hit file, a hit, truth or cell row whose hit or
/// particle is not known or known twice. Truth is brought into the order of the hits.
Result<TrackmlEvent> read_event(const std::filesystem::path& prefix, Cells cells = Cells::read);

/// One of the event's files that is there already, whose content write_event() would replace.
std::optional<std::filesystem::path> find_event_file(const std::filesystem::path& prefix);

/// Writes the four files, over those that are there; an event without cells removes -cells.csv.
Result<void> write_event(const std::filesystem::path& prefix, const TrackmlEvent& event);

}  // namespace farm
