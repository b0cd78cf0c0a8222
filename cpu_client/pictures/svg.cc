#include "cpu_client/pictures/svg.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/wire/text.h"

namespace farm {

namespace {

/// In tenths of a pixel.
using Place = std::pair<std::int64_t, std::int64_t>;

Place place(Pixel pixel) { return {std::llround(pixel.x * 10), std::llround(pixel.y * 10)}; }

std::string number(std::int64_t tenths) {
    return fmt::format("{:g}", static_cast<double>(tenths) / 10);
}

std::string pair_text(Pixel pixel) {
    const auto [x, y] = place(pixel);
    return number(x) + ',' + number(y);
}

std::string stroke_text(const Stroke& stroke) {
    std::string text =
        fmt::format("stroke=\"{}\" stroke-width=\"{:g}\"", stroke.colour, stroke.width);
    if (!stroke.dashes.empty()) text += fmt::format(" stroke-dasharray=\"{}\"", stroke.dashes);
    return text;
}

std::string_view anchor_text(Anchor anchor) {
    switch (anchor) {
        case Anchor::start: return "start";
        case Anchor::middle: return "middle";
        case Anchor::end: return "end";
    }
    return "";
}

}  // namespace

std::string xml_text(std::string_view text) {
    const bool keeps_high_bytes = is_utf8(text);
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&apos;"; break;
            default:
                out += byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !keeps_high_bytes) ? '?' : c;
        }
    }
    return out;
}

Svg::Svg(double width, double height) {
    text_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:g}\" height=\"{1:g}\" "
        "viewBox=\"0 0 {0:g} {1:g}\" font-family=\"sans-serif\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        width, height);
}

void Svg::line(Pixel from, Pixel to, const Stroke& stroke) {
    const Pixel points[] = {from, to};
    polyline(points, stroke);
}

void Svg::polyline(std::span<const Pixel> points, const Stroke& stroke) {
    text_ += "<polyline fill=\"none\" " + stroke_text(stroke) + " points=\"";
    for (const Pixel& point : points) text_ += pair_text(point) + ' ';
    if (!points.empty()) text_.pop_back();
    text_ += "\"/>\n";
}

void Svg::dots(std::span<const Pixel> points, double diameter, std::string_view colour) {
    std::vector<Place> places;
    for (const Pixel& point : points) {
        const auto [x, y] = place(point);
        places.emplace_back(x / 5 * 5, y / 5 * 5);  // half pixels
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    text_ += fmt::format(
        "<path fill=\"none\" stroke=\"{}\" stroke-width=\"{:g}\" stroke-linecap=\"round\" d=\"",
        colour, diameter);
    for (const auto& [x, y] : places) text_ += 'M' + number(x) + ',' + number(y) + "h0";
    text_ += "\"/>\n";
}

void Svg::circle(Pixel centre, double radius, const Stroke& stroke) {
    const auto [x, y] = place(centre);
    text_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{:g}\" fill=\"none\" {}/>\n", number(x),
                         number(y), radius, stroke_text(stroke));
}

void Svg::cross(Pixel centre, double radius, const Stroke& stroke) {
    line({centre.x - radius, centre.y - radius}, {centre.x + radius, centre.y + radius}, stroke);
    line({centre.x - radius, centre.y + radius}, {centre.x + radius, centre.y - radius}, stroke);
}

void Svg::frame(const Box& box, const Stroke& stroke) {
    text_ += fmt::format(
        "<rect x=\"{:g}\" y=\"{:g}\" width=\"{:g}\" height=\"{:g}\" fill=\"none\" {}/>\n", box.left,
        box.top, box.width, box.height, stroke_text(stroke));
}

void Svg::text(Pixel at, std::string_view text, const TextStyle& style) {
    const auto [x, y] = place(at);
    text_ +=
        fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{:g}\" text-anchor=\"{}\" fill=\"{}\"",
                    number(x), number(y), style.size, anchor_text(style.anchor), style.colour);
    if (style.degrees != 0) {
        text_ +=
            fmt::format(" transform=\"rotate({:g} {} {})\"", style.degrees, number(x), number(y));
    }
    text_ += '>' + xml_text(text) + "</text>\n";
}

std::string Svg::finish() && { return std::move(text_) + "</svg>\n"; }

}  // namespace farm
