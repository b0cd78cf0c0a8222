#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace farm {

/// A place in a picture, in pixels from the upper left corner: right and down.
struct Pixel {
    double x{0}, y{0};
};

struct Box {
    double left{0}, top{0}, width{0}, height{0};

    double right() const { return left + width; }
    double bottom() const { return top + height; }
};

struct Stroke {
    std::string_view colour{"#000000"};
    double width{1};
    std::string_view dashes{};  ///< lengths of dashes and gaps, "4 2"; empty: none
};

enum class Anchor : std::uint8_t { start, middle, end };

struct TextStyle {
    double size{13};
    Anchor anchor{Anchor::start};
    double degrees{0};  ///< turned clockwise about its place
    std::string_view colour{"#000000"};
};

/// Text for XML: its five special characters as entities, what XML forbids as '?'.
std::string xml_text(std::string_view text);

/// Writes a picture as SVG 1.1, element by element, the later ones on top. Coordinates are rounded
/// to a tenth of a pixel. Colours and dashes are written as they are: they come from code only.
class Svg {
  public:
    Svg(double width, double height);

    void line(Pixel from, Pixel to, const Stroke& stroke);
    void polyline(std::span<const Pixel> points, const Stroke& stroke);
    /// Dots that would cover each other are drawn once, so the size is bounded by the area.
    void dots(std::span<const Pixel> points, double diameter, std::string_view colour);
    void circle(Pixel centre, double radius, const Stroke& stroke);  ///< not filled
    void cross(Pixel centre, double radius, const Stroke& stroke);
    void frame(const Box& box, const Stroke& stroke);  ///< not filled
    void text(Pixel place, std::string_view text, const TextStyle& style);

    std::string finish() &&;

  private:
    std::string text_;
};

}  // namespace farm
