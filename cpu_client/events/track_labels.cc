#include "cpu_client/events/track_labels.h"

#include <array>

#include "common/core/expect.h"
#include "cpu_client/events/csv_table.h"

namespace farm {

namespace {

struct SubmissionRow {
    std::int32_t hit_id{0};
    std::uint64_t track_id{0};
};

constexpr std::array<CsvColumn<SubmissionRow>, 2> submission_columns{
    {{"hit_id", &SubmissionRow::hit_id}, {"track_id", &SubmissionRow::track_id}}};

}  // namespace

std::string format_submission(const std::vector<Hit>& hits, std::span<const std::int64_t> labels) {
    FARM_EXPECT(hits.size() == labels.size());
    std::vector<SubmissionRow> rows(hits.size());
    for (std::size_t i = 0; i < hits.size(); ++i) {
        const std::uint64_t track = labels[i] < 0 ? 0 : static_cast<std::uint64_t>(labels[i]) + 1;
        rows[i] = {hits[i].hit_id, track};
    }
    return format_csv(rows, submission_columns);
}

}  // namespace farm
