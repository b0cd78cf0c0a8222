#include "cpu_client/pictures/event_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cpu_client/events/truth_metrics.h"
#include "cpu_client/pictures/panel.h"
#include "cpu_client/pictures/svg.h"

namespace farm {

namespace {

// Of Okabe and Ito, and Tol: told apart by the colour-blind, too; red and black are for what went
// wrong.
constexpr std::array<std::string_view, 8> track_colours{"#0072b2", "#009e73", "#e69f00", "#56b4e9",
                                                        "#cc79a7", "#999933", "#332288", "#44aa99"};
constexpr std::string_view hit_colour = "#a8a8a8";
constexpr Stroke other_stroke{.colour = "#c3d3e0", .width = 0.5};
constexpr Stroke missed_stroke{.colour = "#000000", .width = 1, .dashes = "4 2"};
constexpr Stroke missed_mark{.colour = "#000000", .width = 1};
constexpr Stroke fake_stroke{.colour = "#d00000", .width = 1};
constexpr double mark_radius = 2.8;

/// Hits of one track or particle, from the inside out.
using Trail = std::vector<std::size_t>;

struct Trails {
    std::vector<Trail> found, other, fake, missed;
};

double distance(const Hit& hit) { return std::hypot(hit.x, hit.y, hit.z); }
double radius(const Hit& hit) { return std::hypot(hit.x, hit.y); }

void sort_outward(Trail& trail, std::span<const Hit> hits) {
    std::stable_sort(trail.begin(), trail.end(), [&](std::size_t a, std::size_t b) {
        return distance(hits[a]) < distance(hits[b]);
    });
}

std::map<std::int64_t, Trail> trails_by_label(const EventPicture& picture) {
    std::map<std::int64_t, Trail> trails;
    for (std::size_t i = 0; i < picture.hits.size(); ++i) {
        if (picture.labels[i] >= 0) trails[picture.labels[i]].push_back(i);
    }
    std::erase_if(trails, [](const auto& t) { return t.second.size() < valid_cluster_hit_count; });
    return trails;
}

std::vector<Trail> trails_of(const std::vector<std::uint32_t>& particles, const EventTruth& truth) {
    std::map<std::uint32_t, Trail> trails;
    for (const std::uint32_t particle : particles) trails[particle];
    for (std::size_t i = 0; i < truth.hit_count(); ++i) {
        const auto found = trails.find(truth.particle_of(i));
        if (found != trails.end()) found->second.push_back(i);
    }
    std::vector<Trail> list;
    for (auto& [particle, trail] : trails) list.push_back(std::move(trail));
    return list;
}

Result<Trails> sort_into_trails(const EventPicture& picture) {
    TrackVerdicts verdicts;
    Trails trails;
    if (picture.truth != nullptr) {
        auto judged = track_verdicts(*picture.truth, picture.labels);
        if (!judged) return tl::unexpected(judged.error());
        verdicts = std::move(*judged);
        trails.missed = trails_of(verdicts.missed, *picture.truth);
    }
    for (auto& [label, trail] : trails_by_label(picture)) {
        const auto verdict = verdicts.clusters.find(label);
        auto& list = verdict == verdicts.clusters.end()         ? trails.found
                     : verdict->second == ClusterVerdict::fake  ? trails.fake
                     : verdict->second == ClusterVerdict::found ? trails.found
                                                                : trails.other;
        list.push_back(std::move(trail));
    }
    for (auto* list : {&trails.found, &trails.other, &trails.fake, &trails.missed}) {
        for (Trail& trail : *list) sort_outward(trail, picture.hits);
    }
    return trails;
}

/// One projection of the event.
class View {
  public:
    using Projection = Pixel (*)(const Hit&);  ///< in mm

    View(Svg& svg, Panel panel, std::span<const Hit> hits, Projection projection)
        : svg_(svg), panel_(std::move(panel)), hits_(hits), projection_(projection) {}

    void draw(const Trails& trails) {
        panel_.draw_axes(svg_);
        for (const Trail& trail : trails.other) svg_.polyline(pixels(trail), other_stroke);
        svg_.dots(all_hits(), 1.5, hit_colour);
        for (std::size_t i = 0; i < trails.found.size(); ++i) {
            const std::string_view colour = track_colours[i % track_colours.size()];
            const auto points = pixels(trails.found[i]);
            svg_.polyline(points, {.colour = colour, .width = 1});
            svg_.dots(points, 2.6, colour);
        }
        for (const Trail& trail : trails.fake) {
            const auto points = pixels(trail);
            svg_.polyline(points, fake_stroke);
            for (const Pixel& point : points) svg_.cross(point, mark_radius, fake_stroke);
        }
        for (const Trail& trail : trails.missed) {
            const auto points = pixels(trail);
            svg_.polyline(points, missed_stroke);
            for (const Pixel& point : points) svg_.circle(point, mark_radius, missed_mark);
        }
    }

  private:
    Pixel pixel(const Hit& hit) const {
        const Pixel place = projection_(hit);
        return panel_.at(place.x, place.y);
    }
    std::vector<Pixel> pixels(const Trail& trail) const {
        std::vector<Pixel> points;
        for (const std::size_t hit : trail) points.push_back(pixel(hits_[hit]));
        return points;
    }
    std::vector<Pixel> all_hits() const {
        std::vector<Pixel> points;
        for (const Hit& hit : hits_) points.push_back(pixel(hit));
        return points;
    }

    Svg& svg_;
    Panel panel_;
    std::span<const Hit> hits_;
    Projection projection_;
};

/// A sample and its name; gives where the next one begins.
class Legend {
  public:
    Legend(Svg& svg, Pixel begin) : svg_(svg), place_(begin) {}

    void hits(const std::string& name) {
        const Pixel points[] = {{place_.x + 8, place_.y}, {place_.x + 16, place_.y - 3}};
        svg_.dots(points, 1.8, hit_colour);
        add(name);
    }
    void tracks(const std::string& name) {
        for (std::size_t i = 0; i < 3; ++i) {
            const double y = place_.y - 5 + 5 * static_cast<double>(i);
            svg_.line({place_.x, y}, {place_.x + 24, y},
                      {.colour = track_colours[i], .width = 1.4});
        }
        add(name);
    }
    void lines(const std::string& name, const Stroke& stroke) {
        svg_.line(place_, {place_.x + 24, place_.y}, stroke);
        add(name);
    }
    void fakes(const std::string& name) {
        svg_.line(place_, {place_.x + 24, place_.y}, fake_stroke);
        svg_.cross({place_.x + 12, place_.y}, mark_radius, fake_stroke);
        add(name);
    }
    void missed(const std::string& name) {
        svg_.line(place_, {place_.x + 24, place_.y}, missed_stroke);
        svg_.circle({place_.x + 12, place_.y}, mark_radius, missed_mark);
        add(name);
    }

  private:
    void add(const std::string& name) {
        svg_.text({place_.x + 30, place_.y + 4.5}, name, {});
        place_.x += 48 + 7.2 * static_cast<double>(name.size());
    }

    Svg& svg_;
    Pixel place_;
};

void draw_legend(Svg& svg, Pixel begin, const EventPicture& picture, const Trails& trails) {
    Legend legend(svg, begin);
    legend.hits(fmt::format("{} hits", picture.hits.size()));
    if (picture.truth == nullptr) {
        legend.tracks(fmt::format("{} tracks", trails.found.size()));
        return;
    }
    legend.tracks(fmt::format("{} tracks found", trails.found.size()));
    legend.missed(fmt::format("{} particles missed", trails.missed.size()));
    legend.fakes(fmt::format("{} fakes", trails.fake.size()));
    legend.lines(fmt::format("{} tracks outside the selection", trails.other.size()), other_stroke);
}

/// Half of the detector's length and its radius, as far as there are hits.
struct Extent {
    double r, z;
};

Extent extent_of(std::span<const Hit> hits) {
    Extent extent{0, 0};
    for (const Hit& hit : hits) {
        extent.r = std::max(extent.r, radius(hit));
        extent.z = std::max(extent.z, std::abs(static_cast<double>(hit.z)));
    }
    const auto rounded = [](double most) { return std::max(100 * std::ceil(most / 100), 100.0); };
    return {rounded(extent.r), rounded(extent.z)};
}

}  // namespace

Result<std::string> draw_event(const EventPicture& picture) {
    if (picture.labels.size() != picture.hits.size()) {
        return fail(ErrorCode::invalid,
                    fmt::format("there are {} labels (there are {} hits): give one for each",
                                picture.labels.size(), picture.hits.size()));
    }
    const auto trails = sort_into_trails(picture);
    if (!trails) return tl::unexpected(trails.error());
    const Extent extent = extent_of(picture.hits);
    Svg svg(1300, 700);
    svg.text({80, 32}, picture.title, {.size = 17});
    View transverse(
        svg,
        Panel({80, 50, 560, 560}, {"x [mm]", -extent.r, extent.r}, {"y [mm]", -extent.r, extent.r}),
        picture.hits, [](const Hit& hit) -> Pixel {
            return {hit.x, hit.y};
        });
    transverse.draw(*trails);
    View longitudinal(
        svg, Panel({720, 50, 560, 560}, {"z [mm]", -extent.z, extent.z}, {"r [mm]", 0, extent.r}),
        picture.hits, [](const Hit& hit) -> Pixel {
            return {hit.z, radius(hit)};
        });
    longitudinal.draw(*trails);
    draw_legend(svg, {80, 680}, picture, *trails);
    return std::move(svg).finish();
}

}  // namespace farm
