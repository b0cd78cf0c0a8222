#include "cpu_client/app/track_pictures.h"

#include <fmt/format.h>

#include "cpu_client/events/file_text.h"
#include "cpu_client/pictures/rate_picture.h"

namespace farm {

namespace {

std::string event_title(const EventPicture& event, const ParticleSelection& selection) {
    if (event.truth == nullptr) return event.title;
    return event.title + ", particles with " + selection_text(selection);
}

std::string rates_title(const TrackSummary& summary, const ParticleSelection& selection) {
    return fmt::format("{} event{}, particles with {}", summary.event_count(),
                       summary.event_count() == 1 ? "" : "s", selection_text(selection));
}

}  // namespace

Result<std::vector<std::filesystem::path>> write_pictures(const std::filesystem::path& file,
                                                          const EventPicture& event,
                                                          const TrackSummary& summary,
                                                          const ParticleSelection& selection) {
    EventPicture titled = event;
    titled.title = event_title(event, selection);
    const auto drawn = draw_event(titled);
    if (!drawn) return tl::unexpected(drawn.error());
    std::vector<std::filesystem::path> files{file};
    if (const auto written = write_file_text(file, *drawn); !written) {
        return tl::unexpected(written.error());
    }
    if (!summary.metrics()) return files;
    std::filesystem::path rates = file;
    rates.replace_filename(file.stem().string() + "-rates" + file.extension().string());
    files.push_back(rates);
    const auto written = write_file_text(
        rates, draw_rates(rates_title(summary, selection), *summary.metrics(), selection));
    if (!written) return tl::unexpected(written.error());
    return files;
}

}  // namespace farm
