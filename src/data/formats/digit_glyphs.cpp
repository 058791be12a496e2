// See digit_glyphs.h. The points were set by eye: a form is good when its images, jittered and
// slanted by digits.cpp, look like somebody's handwriting.
#include "data/formats/digit_glyphs.h"

#include <algorithm>

namespace coppice::digits {
namespace {

// Steps in which a curve runs from one of its points to the next.
constexpr int kSteps = 5;

// The curve through p1 and p2 at t in [0, 1] (Catmull-Rom).
double between(double p0, double p1, double p2, double p3, double t) {
  return p1 +
         0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
}

}  // namespace

std::vector<Glyph> make_glyphs() {
  using enum Line;
  // clang-format off
  return {
      {0, {{curved, {{.55, .02}, {.2, .15}, {.08, .5}, {.22, .88}, {.52, .98}, {.82, .82},
            {.92, .48}, {.8, .14}, {.5, .02}}}}},
      {1, {{straight, {{.52, .0}, {.5, 1.0}}}}},
      {1, {{straight, {{.28, .24}, {.56, .0}, {.52, 1.0}}}}},
      {2, {{curved, {{.12, .24}, {.32, .03}, {.72, .06}, {.82, .32}, {.55, .62}, {.1, .97}}},
            {straight, {{.1, .97}, {.9, .95}}}}},
      {2, {{curved, {{.12, .2}, {.45, .0}, {.82, .2}, {.68, .55}, {.3, .92}, {.12, .85},
            {.3, .76}, {.6, .92}, {.92, .9}}}}},
      {3, {{curved, {{.14, .12}, {.5, .0}, {.82, .2}, {.62, .43}, {.4, .48}, {.7, .53},
            {.88, .75}, {.55, 1.0}, {.1, .86}}}}},
      {4, {{straight, {{.58, .0}, {.08, .64}, {.94, .62}}}, {straight, {{.68, .3},
            {.64, 1.0}}}}},
      {4, {{curved, {{.16, .04}, {.1, .3}, {.2, .5}, {.5, .54}, {.82, .46}}}, {straight,
            {{.84, .02}, {.78, 1.0}}}}},
      {5, {{straight, {{.84, .02}, {.26, .04}, {.2, .44}}}, {curved, {{.2, .44}, {.5, .36},
            {.84, .52}, {.82, .84}, {.46, 1.0}, {.1, .88}}}}},
      {6, {{curved, {{.74, .02}, {.36, .2}, {.12, .6}, {.24, .93}, {.56, .98}, {.82, .78},
            {.66, .54}, {.36, .56}, {.16, .76}}}}},
      {7, {{straight, {{.1, .06}, {.88, .04}, {.4, 1.0}}}}},
      {7, {{straight, {{.1, .06}, {.88, .04}, {.42, 1.0}}}, {straight, {{.36, .5},
            {.82, .48}}}}},
      {8, {{curved, {{.78, .14}, {.45, .0}, {.2, .2}, {.42, .42}, {.72, .6}, {.8, .82},
            {.5, 1.0}, {.18, .82}, {.3, .58}, {.62, .4}, {.78, .18}, {.72, .08}}}}},
      {9, {{curved, {{.82, .2}, {.5, .02}, {.18, .22}, {.3, .48}, {.62, .46}, {.82, .2}}},
            {curved, {{.84, .12}, {.8, .5}, {.62, .98}}}}},
      {9, {{curved, {{.8, .16}, {.46, .02}, {.16, .26}, {.4, .5}, {.76, .34}, {.84, .14},
            {.8, .6}, {.54, .98}, {.2, .92}}}}},
  };
  // clang-format on
}

std::vector<Point> flatten(const Stroke& stroke) {
  if (stroke.line == Line::straight) return stroke.points;
  const std::vector<Point>& points = stroke.points;
  const size_t last = points.size() - 1;
  std::vector<Point> result{points.front()};
  for (size_t i = 0; i < last; ++i) {
    const Point &p0 = points[i == 0 ? 0 : i - 1], &p1 = points[i], &p2 = points[i + 1],
                &p3 = points[std::min(i + 2, last)];
    for (int step = 1; step <= kSteps; ++step) {
      const double t = static_cast<double>(step) / kSteps;
      result.push_back({between(p0.x, p1.x, p2.x, p3.x, t), between(p0.y, p1.y, p2.y, p3.y, t)});
    }
  }
  return result;
}

}  // namespace coppice::digits
