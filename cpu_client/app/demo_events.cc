#include "cpu_client/app/demo_events.h"

#include <algorithm>
#include <system_error>
#include <tuple>

#include <fmt/format.h>

#include "common/ops/npy.h"

namespace farm {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view metres_folder = "lrt";

/// "evt_9" before "evt_10".
auto by_number(const std::string& name) {
    const auto digits = name.find_last_not_of("0123456789") + 1;
    return std::tuple(name.substr(0, digits), name.size() - digits, name);
}

Result<void> add_folder(const fs::path& folder, SpacePointUnits units,
                        std::vector<EventFile>& events) {
    std::error_code error;
    std::vector<EventFile> found;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path().extension() != ".csv") continue;
        found.push_back({entry->path().stem().string(), entry->path(), units});
    }
    if (error) {
        return fail(
            error == std::errc::no_such_file_or_directory ? ErrorCode::not_found : ErrorCode::io,
            "folder of events '" + folder.string() + "' cannot be read (" + error.message() +
                "): give --events FOLDER");
    }
    std::sort(found.begin(), found.end(), [](const EventFile& a, const EventFile& b) {
        return by_number(a.name) < by_number(b.name);
    });
    events.insert(events.end(), found.begin(), found.end());
    return {};
}

Tensor as_tensor(const Input& input) {
    return {{input.name, input.value.type, input.value.shape}, input.value.data};
}

Result<void> write_event(const EventFile& event, float radius, const fs::path& folder) {
    const auto points = read_space_points(event.path, event.units);
    if (!points) return tl::unexpected(points.error());
    const auto edges = candidate_edges(*points, radius);
    if (!edges) return tl::unexpected(edges.error());
    std::error_code error;
    fs::create_directories(folder, error);
    for (const Input& input : event_inputs(*points, *edges)) {
        const auto written = write_npy(folder / (input.name + ".npy"), as_tensor(input));
        if (!written) return written;
    }
    return {};
}

}  // namespace

Result<std::vector<EventFile>> list_events(const fs::path& folder) {
    std::vector<EventFile> events;
    const auto own = add_folder(folder, space_point_units::classifier, events);
    if (!own) return tl::unexpected(own.error());
    std::error_code ignored;
    if (fs::is_directory(folder / metres_folder, ignored)) {
        const auto more = add_folder(folder / metres_folder, space_point_units::metres, events);
        if (!more) return tl::unexpected(more.error());
    }
    if (!events.empty()) return events;
    return fail(ErrorCode::not_found, "folder of events '" + folder.string() +
                                          "' has no .csv files: give --events FOLDER");
}

Inputs event_inputs(const std::vector<SpacePoint>& points, const EdgeList& edges) {
    Tensor nodes = to_tensor("nodes", points);
    Tensor index = to_tensor("edge_index", edges);
    return {{nodes.desc.name, {nodes.desc.type, nodes.desc.shape, std::move(nodes.data)}},
            {index.desc.name, {index.desc.type, index.desc.shape, std::move(index.data)}}};
}

Result<void> write_bench_inputs(const std::vector<EventFile>& events, float radius,
                                const fs::path& folder) {
    for (std::size_t k = 0; k < events.size(); ++k) {
        const auto written = write_event(events[k], radius, folder / fmt::format("{:04}", k));
        if (!written) return written;
    }
    return {};
}

}  // namespace farm
