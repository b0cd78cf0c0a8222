#include "cpu_client/pictures/rate_picture.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "cpu_client/pictures/panel.h"
#include "cpu_client/pictures/svg.h"

namespace farm {

namespace {

constexpr std::string_view efficiency_colour = "#0072b2";
constexpr std::string_view fake_colour = "#d55e00";
constexpr double last_pt = 20;    // where the bin without an end is drawn to, GeV
constexpr double first_pt = 0.1;  // and where the one from 0 begins
constexpr double mark_radius = 3.5;

/// Part of the whole, in a bin.
struct Rate {
    double begin, end;  ///< of the bin
    std::uint64_t passed, total;
};

double middle(const Rate& rate, const Axis& axis) {
    return axis.is_logarithmic ? std::sqrt(rate.begin * rate.end) : (rate.begin + rate.end) / 2;
}

void draw_rate(Svg& svg, const Panel& panel, const Axis& axis, const Rate& rate,
               std::string_view colour) {
    if (rate.total == 0 || rate.end <= axis.begin || rate.begin >= axis.end) return;
    const Stroke stroke{.colour = colour, .width = 1.6};
    const double value = static_cast<double>(rate.passed) / static_cast<double>(rate.total);
    const Interval error = binomial_interval(rate.passed, rate.total);
    const double x = middle(rate, axis);
    svg.line(panel.at(rate.begin, value), panel.at(rate.end, value), stroke);
    svg.line(panel.at(x, error.low), panel.at(x, error.high), stroke);
    svg.circle(panel.at(x, value), mark_radius, stroke);
}

template <std::size_t count>
void draw_panel(Svg& svg, const Box& box, const Axis& axis, const std::array<double, count>& begins,
                const std::array<TrackCounts, count>& bins) {
    const Panel panel(box, axis, {"rate", 0, 1});
    panel.draw_axes(svg);
    for (std::size_t i = 0; i < count; ++i) {
        const double begin = std::max(begins[i], axis.begin);
        const double end = i + 1 < count ? std::min(begins[i + 1], axis.end) : axis.end;
        const TrackCounts& bin = bins[i];
        draw_rate(svg, panel, axis, {begin, end, bin.double_majority, bin.particles},
                  efficiency_colour);
        draw_rate(svg, panel, axis, {begin, end, bin.fakes, bin.clusters}, fake_colour);
    }
}

void draw_legend(Svg& svg, Pixel place, std::string_view colour, const std::string& name) {
    const Stroke stroke{.colour = colour, .width = 1.6};
    svg.line(place, {place.x + 24, place.y}, stroke);
    svg.circle({place.x + 12, place.y}, mark_radius, stroke);
    svg.text({place.x + 32, place.y + 4.5}, name, {});
}

}  // namespace

Interval binomial_interval(std::uint64_t passed, std::uint64_t total) {
    if (total == 0) return {};
    const auto n = static_cast<double>(total);
    const double p = static_cast<double>(passed) / n;
    const double centre = (p + 0.5 / n) / (1 + 1 / n);
    const double half = std::sqrt(p * (1 - p) / n + 0.25 / (n * n)) / (1 + 1 / n);
    return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

std::string draw_rates(const std::string& title, const TrackMetrics& metrics,
                       const ParticleSelection& selection) {
    const double pt_begin = std::clamp(selection.pt_min, first_pt, last_pt / 2);
    const double eta_end = selection.eta_max > 0 ? std::min(selection.eta_max, 5.0) : 5.0;
    Svg svg(1000, 480);
    svg.text({70, 32}, title, {.size = 17});
    draw_panel(svg, {70, 50, 420, 340}, {"pT [GeV]", pt_begin, last_pt, true}, pt_bin_begins,
               metrics.by_pt);
    draw_panel(svg, {560, 50, 420, 340}, {"|eta|", 0, eta_end}, abs_eta_bin_begins,
               metrics.by_abs_eta);
    const TrackCounts& all = metrics.all;
    draw_legend(svg, {70, 460}, efficiency_colour,
                fmt::format("double-majority efficiency, {:.3f} of {} particles",
                            all.double_majority_efficiency(), all.particles));
    draw_legend(svg, {560, 460}, fake_colour,
                fmt::format("fake rate, {:.3f} of {} tracks (by their leading particle)",
                            all.fake_rate(), all.clusters));
    return std::move(svg).finish();
}

}  // namespace farm
