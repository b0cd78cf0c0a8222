#include "cpu_client/pictures/panel.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "common/core/expect.h"

namespace farm {

namespace {

constexpr double tick_length = 5;
constexpr Stroke axis_stroke{.colour = "#333333"};
constexpr Stroke grid_stroke{.colour = "#e6e6e6"};

/// How far along the axis, 0 to 1.
double share(const Axis& axis, double value) {
    if (axis.is_logarithmic) return std::log(value / axis.begin) / std::log(axis.end / axis.begin);
    return (value - axis.begin) / (axis.end - axis.begin);
}

double power_of_ten_below(double value) { return std::pow(10, std::floor(std::log10(value))); }

}  // namespace

double round_up(double value) {
    if (!(value > 0)) return 1;
    const double power = power_of_ten_below(value);
    for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
        if (factor * power >= value * (1 - 1e-9)) return factor * power;
    }
    return 10 * power;
}

std::vector<double> axis_ticks(const Axis& axis) {
    constexpr double slack = 1e-9;
    std::vector<double> ticks;
    if (axis.is_logarithmic) {
        for (double power = power_of_ten_below(axis.begin); power <= axis.end; power *= 10) {
            for (const double factor : {1.0, 2.0, 5.0}) {
                const double tick = factor * power;
                if (tick >= axis.begin * (1 - slack) && tick <= axis.end * (1 + slack)) {
                    ticks.push_back(tick);
                }
            }
        }
        return ticks;
    }
    const double length = axis.end - axis.begin;
    double step = round_up(length / 6);
    if (step / power_of_ten_below(step) == 2.5) step *= 2;
    const double first = std::ceil(axis.begin / step - slack);
    for (int i = 0; (first + i) * step <= axis.end + slack * length; ++i) {
        ticks.push_back((first + i) * step + 0.0);  // no -0
    }
    return ticks;
}

Panel::Panel(const Box& box, Axis x, Axis y) : box_(box), x_(std::move(x)), y_(std::move(y)) {
    for (const Axis* axis : {&x_, &y_}) {
        FARM_EXPECT(axis->begin < axis->end && std::isfinite(axis->end - axis->begin));
        FARM_EXPECT(!axis->is_logarithmic || axis->begin > 0);
    }
}

Pixel Panel::at(double x, double y) const {
    return {box_.left + share(x_, x) * box_.width, box_.bottom() - share(y_, y) * box_.height};
}

void Panel::draw_axes(Svg& svg) const {
    for (const double tick : axis_ticks(x_)) {
        const Pixel foot{at(tick, y_.begin).x, box_.bottom()};
        svg.line(foot, {foot.x, box_.top}, grid_stroke);
        svg.line(foot, {foot.x, foot.y + tick_length}, axis_stroke);
        svg.text({foot.x, foot.y + 19}, fmt::format("{:g}", tick), {.anchor = Anchor::middle});
    }
    for (const double tick : axis_ticks(y_)) {
        const Pixel foot{box_.left, at(x_.begin, tick).y};
        svg.line(foot, {box_.right(), foot.y}, grid_stroke);
        svg.line(foot, {foot.x - tick_length, foot.y}, axis_stroke);
        svg.text({foot.x - 8, foot.y + 4.5}, fmt::format("{:g}", tick), {.anchor = Anchor::end});
    }
    svg.frame(box_, axis_stroke);
    const double middle_x = box_.left + box_.width / 2;
    const double middle_y = box_.top + box_.height / 2;
    svg.text({middle_x, box_.bottom() + 40}, x_.title, {.size = 14, .anchor = Anchor::middle});
    svg.text({box_.left - 48, middle_y}, y_.title,
             {.size = 14, .anchor = Anchor::middle, .degrees = -90});
}

}  // namespace farm
