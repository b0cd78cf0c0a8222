#pragma once

#include <string>
#include <vector>

#include "cpu_client/pictures/svg.h"

namespace farm {

/// One axis: what it shows, from the left or from below.
struct Axis {
    std::string title;  ///< with the unit
    double begin{0}, end{1};
    bool is_logarithmic{false};  ///< needs begin > 0
};

/// Round places on an axis, about five: steps of 1, 2 or 5 times a power of ten; on a logarithmic
/// axis 1, 2 and 5 times the powers of ten.
std::vector<double> axis_ticks(const Axis& axis);

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `value`; 1 for 0 and less.
double round_up(double value);

/// A part of a picture with axes.
class Panel {
  public:
    /// Requires begin < end, and finite.
    Panel(const Box& box, Axis x, Axis y);

    Pixel at(double x, double y) const;
    /// Frame, ticks with their numbers, titles.
    void draw_axes(Svg& svg) const;
    const Box& box() const { return box_; }

  private:
    Box box_;
    Axis x_, y_;
};

}  // namespace farm
