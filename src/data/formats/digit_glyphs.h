// The shapes of the built-in digits: strokes through points of the unit square, x to the right, y
// down.
#pragma once

#include <cstdint>
#include <vector>

namespace coppice::digits {

struct Point {
  double x, y;
};

enum class Line { straight, curved };

struct Stroke {
  Line line;
  std::vector<Point> points;
};

struct Glyph {
  int64_t digit;
  std::vector<Stroke> strokes;
};

// All forms of all digits; a digit that people write in two ways has two.
std::vector<Glyph> make_glyphs();

// The stroke as a polyline: a curved one is a Catmull-Rom spline through its points.
std::vector<Point> flatten(const Stroke& stroke);

}  // namespace coppice::digits
