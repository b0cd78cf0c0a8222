#include "gpu_worker/backends/tracks_settings.h"

#include <cmath>

#include "gpu_worker/backends/parameter_reader.h"

namespace farm {

namespace {

using tracking::GraphMethod;
using tracking::TrackMethod;

void read_positive(ParameterReader& reader, const std::string& key, float& value) {
    reader.number(key, value);
    if (!(value > 0 && std::isfinite(value))) {
        reader.refuse(key, std::to_string(value), "finite numbers above 0");
    }
}

void read_cut(ParameterReader& reader, const std::string& key, float& cut) {
    reader.number(key, cut);
    if (!(cut >= 0 && cut < 1)) reader.refuse(key, std::to_string(cut), "0 to less than 1");
}

void read_limit(ParameterReader& reader, const std::string& key, std::size_t most,
                std::size_t& limit) {
    reader.number(key, limit);
    if (limit < 1 || limit > most) {
        reader.refuse(key, std::to_string(limit), "1 to " + std::to_string(most));
    }
}

void read_limits(ParameterReader& reader, tracking::TrackFinderConfig& finder) {
    read_limit(reader, "point_limit", tracking::limits::point_count, finder.point_limit);
    read_limit(reader, "edge_limit", tracking::limits::edge_count, finder.radius.edge_limit);
    finder.doublets.edge_limit = finder.radius.edge_limit;
}

/// Of a file beside the others of this version.
std::string read_file(ParameterReader& reader, const std::string& key, const ModelSource& source) {
    std::string name;
    reader.text(key, name);
    if (name.empty()) return {};
    if (name.find('/') != std::string::npos) {
        reader.refuse(key, name, "names of files in the version's folder");
    }
    return source.folder + "/" + std::to_string(source.version) + "/" + name;
}

void read_graph(ParameterReader& reader, TracksSettings& settings, const ModelSource& source) {
    auto& finder = settings.finder;
    reader.choice<GraphMethod>(
        "graph", {{"radius", GraphMethod::radius}, {"doublets", GraphMethod::doublets}},
        finder.graph_method);
    settings.embedding_file = read_file(reader, "embedding", source);
    const bool embeds = finder.graph_method == GraphMethod::radius;
    if (embeds == settings.embedding_file.empty()) {
        reader.refuse("embedding", settings.embedding_file,
                      embeds ? "a file, which graph 'radius' needs" : "none with 'doublets'");
    }
    read_positive(reader, "radius", finder.radius.radius);
    reader.number("neighbour_limit", finder.radius.neighbour_limit);
    read_positive(reader, "doublet_least_dr", finder.doublets.least_dr);
    read_positive(reader, "doublet_largest_dr", finder.doublets.largest_dr);
    read_positive(reader, "doublet_largest_dphi", finder.doublets.largest_dphi);
    read_positive(reader, "doublet_largest_slope", finder.doublets.largest_slope);
    read_positive(reader, "doublet_largest_z0", finder.doublets.largest_z0);
    read_limits(reader, finder);
}

void read_networks(ParameterReader& reader, TracksSettings& settings, const ModelSource& source) {
    auto& finder = settings.finder;
    settings.filter_file = read_file(reader, "filter", source);
    reader.choice<EdgeNetworkInput>(
        "filter_input", {{"graph", EdgeNetworkInput::graph}, {"pairs", EdgeNetworkInput::pairs}},
        settings.filter_input);
    read_cut(reader, "filter_cut", finder.filter.cut);
    reader.number("filter_chunk", finder.filter.chunk_edge_count);
    settings.classifier_file = read_file(reader, "classifier", source);
    if (settings.classifier_file.empty()) reader.refuse("classifier", "", "a file");
    reader.choice<bool>("undirected", {{"true", true}, {"false", false}},
                        finder.classifier.undirected);
}

void read_track_building(ParameterReader& reader, tracking::TrackFinderConfig& finder) {
    reader.choice<TrackMethod>("tracks",
                               {{"components", TrackMethod::components},
                                {"junction_removal", TrackMethod::junction_removal},
                                {"walkthrough", TrackMethod::walkthrough}},
                               finder.track_method);
    read_cut(reader, "cut", finder.classifier.cut);
    read_cut(reader, "component_cut", finder.walkthrough.component_cut);
    read_cut(reader, "walk_cut", finder.walkthrough.walk_cut);
    read_cut(reader, "branch_cut", finder.walkthrough.branch_cut);
    if (reader.has("minimum_hits")) {
        read_limit(reader, "minimum_hits", tracking::limits::point_count, finder.minimum_hit_count);
        finder.walkthrough.minimum_hit_count = finder.minimum_hit_count;
    }
}

void read_units(ParameterReader& reader, TracksSettings& settings) {
    auto& scales = settings.finder.scales;
    read_positive(reader, "scale_r", scales.r);
    read_positive(reader, "scale_phi", scales.phi);
    read_positive(reader, "scale_z", scales.z);
    reader.choice<bool>("features", {{"scaled", true}, {"mm", false}},
                        settings.features_are_scaled);
}

/// What the graph would refuse of every event.
Result<void> check_graph(const tracking::TrackFinderConfig& finder, const ModelSource& source) {
    auto checked = tracking::check_radius(finder.radius.radius).and_then([&] {
        return tracking::check_windows(finder.doublets);
    });
    if (checked) return checked;
    return fail(checked.error().code,
                "model '" + source.model + "', config.pbtxt: " + checked.error().message);
}

}  // namespace

Result<TracksSettings> read_tracks_settings(const ModelSource& source) {
    TracksSettings settings;
    ParameterReader reader(source, "farm.tracks.");
    read_graph(reader, settings, source);
    read_networks(reader, settings, source);
    read_track_building(reader, settings.finder);
    read_units(reader, settings);
    reader.refuse_others();
    settings.finder.thread_count = source.intra_op_thread_count;
    if (reader.error()) return tl::unexpected(*reader.error());
    if (auto checked = check_graph(settings.finder, source); !checked) {
        return tl::unexpected(checked.error());
    }
    return settings;
}

}  // namespace farm
