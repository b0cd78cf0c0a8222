#include "cpu_client/events/trackml_csv.h"

#include <array>
#include <cstdio>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cpu_client/events/csv_table.h"
#include "cpu_client/events/file_text.h"

namespace farm {

namespace {

constexpr std::string_view advice = "give the files of one TrackML event";

constexpr std::array<CsvColumn<Hit>, 7> hit_columns{{{"hit_id", &Hit::hit_id},
                                                     {"x", &Hit::x},
                                                     {"y", &Hit::y},
                                                     {"z", &Hit::z},
                                                     {"volume_id", &Hit::volume_id},
                                                     {"layer_id", &Hit::layer_id},
                                                     {"module_id", &Hit::module_id}}};
constexpr std::array<CsvColumn<Cell>, 4> cell_columns{
    {{"hit_id", &Cell::hit_id}, {"ch0", &Cell::ch0}, {"ch1", &Cell::ch1}, {"value", &Cell::value}}};
constexpr std::array<CsvColumn<Particle>, 9> particle_columns{
    {{"particle_id", &Particle::particle_id},
     {"vx", &Particle::vx},
     {"vy", &Particle::vy},
     {"vz", &Particle::vz},
     {"px", &Particle::px},
     {"py", &Particle::py},
     {"pz", &Particle::pz},
     {"q", &Particle::q},
     {"nhits", &Particle::nhits}}};
constexpr std::array<CsvColumn<TruthHit>, 9> truth_columns{{{"hit_id", &TruthHit::hit_id},
                                                            {"particle_id", &TruthHit::particle_id},
                                                            {"tx", &TruthHit::tx},
                                                            {"ty", &TruthHit::ty},
                                                            {"tz", &TruthHit::tz},
                                                            {"tpx", &TruthHit::tpx},
                                                            {"tpy", &TruthHit::tpy},
                                                            {"tpz", &TruthHit::tpz},
                                                            {"weight", &TruthHit::weight}}};

std::filesystem::path part(const std::filesystem::path& prefix, std::string_view name) {
    return prefix.string() + "-" + std::string(name) + ".csv";
}

template <class Row>
using Parse = Result<std::vector<Row>> (*)(std::string_view text, std::string_view file);

template <class Row>
Result<std::vector<Row>> read_rows(const std::filesystem::path& file, Parse<Row> parse) {
    const auto text = read_file_text(file, trackml_file_limit_bytes, advice);
    if (!text) return tl::unexpected(text.error());
    return parse(*text, file.string());
}

template <class Row>
Result<void> read_part(const std::filesystem::path& file, Parse<Row> parse,
                       std::vector<Row>& rows) {
    auto read = read_rows(file, parse);
    if (!read) return tl::unexpected(read.error());
    rows = *std::move(read);
    return {};
}

tl::unexpected<Error> mismatch(const std::filesystem::path& file, const std::string& problem) {
    return fail(ErrorCode::invalid,
                "file '" + file.string() + "': " + problem + ": " + std::string(advice));
}

using HitIndex = std::unordered_map<std::int32_t, std::size_t>;

Result<HitIndex> index_hits(const std::vector<Hit>& hits, const std::filesystem::path& file) {
    HitIndex index;
    index.reserve(hits.size());
    for (const Hit& hit : hits) {
        if (!index.emplace(hit.hit_id, index.size()).second) {
            return mismatch(file, "hit_id " + std::to_string(hit.hit_id) + " is there twice");
        }
    }
    return index;
}

Result<void> order_truth(const HitIndex& index, const std::filesystem::path& file,
                         std::vector<TruthHit>& truth) {
    if (truth.size() != index.size()) {
        return mismatch(file, std::to_string(truth.size()) + " rows (the event has " +
                                  std::to_string(index.size()) + " hits)");
    }
    std::vector<TruthHit> ordered(truth.size());
    std::vector<bool> seen(truth.size());
    for (const TruthHit& row : truth) {
        const auto place = index.find(row.hit_id);
        if (place == index.end() || seen[place->second]) {
            return mismatch(
                file, "hit_id " + std::to_string(row.hit_id) +
                          (place == index.end() ? " is not among the hits" : " is there twice"));
        }
        seen[place->second] = true;
        ordered[place->second] = row;
    }
    truth = std::move(ordered);
    return {};
}

Result<void> check_particles(const TrackmlEvent& event, const std::filesystem::path& truth_file,
                             const std::filesystem::path& particle_file) {
    std::unordered_set<std::uint64_t> known{0};
    for (const Particle& particle : event.particles) {
        if (!known.insert(particle.particle_id).second) {
            return mismatch(particle_file, "particle_id " + std::to_string(particle.particle_id) +
                                               " is 0, which is noise, or there twice");
        }
    }
    for (const TruthHit& row : event.truth) {
        if (!known.contains(row.particle_id)) {
            return mismatch(truth_file, "particle_id " + std::to_string(row.particle_id) +
                                            " is not among the particles");
        }
    }
    return {};
}

Result<void> check_cells(const HitIndex& index, const std::filesystem::path& file,
                         const std::vector<Cell>& cells) {
    for (const Cell& cell : cells) {
        if (!index.contains(cell.hit_id)) {
            return mismatch(file,
                            "hit_id " + std::to_string(cell.hit_id) + " is not among the hits");
        }
    }
    return {};
}

}  // namespace

Result<std::vector<Hit>> parse_hits(std::string_view text, std::string_view file) {
    return parse_csv(text, file, hit_columns, trackml_row_limit_count);
}
Result<std::vector<Cell>> parse_cells(std::string_view text, std::string_view file) {
    return parse_csv(text, file, cell_columns, trackml_row_limit_count);
}
Result<std::vector<Particle>> parse_particles(std::string_view text, std::string_view file) {
    return parse_csv(text, file, particle_columns, trackml_row_limit_count);
}
Result<std::vector<TruthHit>> parse_truth(std::string_view text, std::string_view file) {
    return parse_csv(text, file, truth_columns, trackml_row_limit_count);
}

std::string format_hits(const std::vector<Hit>& hits) { return format_csv(hits, hit_columns); }
std::string format_cells(const std::vector<Cell>& cells) { return format_csv(cells, cell_columns); }
std::string format_particles(const std::vector<Particle>& particles) {
    return format_csv(particles, particle_columns);
}
std::string format_truth(const std::vector<TruthHit>& truth) {
    return format_csv(truth, truth_columns);
}

Result<std::vector<Hit>> read_hits(const std::filesystem::path& file) {
    return read_rows(file, parse_hits);
}
Result<std::vector<Particle>> read_particles(const std::filesystem::path& file) {
    return read_rows(file, parse_particles);
}

std::filesystem::path event_prefix(const std::filesystem::path& folder, std::uint32_t number) {
    char name[32];
    std::snprintf(name, sizeof(name), "event%09u", number);
    return folder / name;
}

Result<TrackmlEvent> read_event(const std::filesystem::path& prefix, Cells cells) {
    TrackmlEvent event;
    const auto hits = part(prefix, "hits");
    const auto truth = part(prefix, "truth");
    const auto particles = part(prefix, "particles");
    const auto cell_file = part(prefix, "cells");
    Result<HitIndex> index;
    const auto index_of_hits = [&]() -> Result<void> {
        index = index_hits(event.hits, hits);
        if (!index) return tl::unexpected(index.error());
        return {};
    };
    auto done =
        read_part(hits, parse_hits, event.hits)
            .and_then(index_of_hits)
            .and_then([&] { return read_part(truth, parse_truth, event.truth); })
            .and_then([&] { return order_truth(*index, truth, event.truth); })
            .and_then([&] { return read_part(particles, parse_particles, event.particles); })
            .and_then([&] { return check_particles(event, truth, particles); });
    std::error_code absent;
    if (done && cells == Cells::read && std::filesystem::exists(cell_file, absent)) {
        done = read_part(cell_file, parse_cells, event.cells).and_then([&] {
            return check_cells(*index, cell_file, event.cells);
        });
    }
    if (!done) return tl::unexpected(done.error());
    return event;
}

std::optional<std::filesystem::path> find_event_file(const std::filesystem::path& prefix) {
    for (const std::string_view name : {"hits", "truth", "particles", "cells"}) {
        std::error_code absent;
        if (const auto file = part(prefix, name); std::filesystem::exists(file, absent)) {
            return file;
        }
    }
    return std::nullopt;
}

Result<void> write_event(const std::filesystem::path& prefix, const TrackmlEvent& event) {
    return write_file_text(part(prefix, "hits"), format_hits(event.hits))
        .and_then([&] { return write_file_text(part(prefix, "truth"), format_truth(event.truth)); })
        .and_then([&] {
            return write_file_text(part(prefix, "particles"), format_particles(event.particles));
        })
        .and_then([&]() -> Result<void> {
            if (event.cells.empty()) {  // none of another event may stay behind
                std::error_code absent;
                std::filesystem::remove(part(prefix, "cells"), absent);
                return {};
            }
            return write_file_text(part(prefix, "cells"), format_cells(event.cells));
        });
}

}  // namespace farm
