// The built-in data set: handwritten-like digits, 28x28 grey, rendered when they are read.
//
// A digit is a few strokes: Catmull-Rom curves (or straight lines) through points of the unit
// square. For every picture a random stream keyed by (split, index) chooses one of the digit's
// forms, jitters its points, applies slant, rotation, size and place, picks the pen's width and
// darkness, and adds slight noise. Same index, same picture, always. Every ten pictures in a row
// hold each digit once, in random order. Difficulty (measured): the nearest class mean gets 2 of 3
// right, the nearest of 5000 training pictures 95 %.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/random.h"
#include "data/formats.h"

namespace coppice {
namespace {

constexpr int64_t kSide = 28, kClasses = 10, kTrainSize = 12000, kTestSize = 2000;
constexpr uint64_t kSeed = 0xd161;
// Steps in which a curve runs from one of its points to the next.
constexpr int kSteps = 5;

struct Point {
  double x, y;  // x to the right, y down
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
std::vector<Glyph> make_glyphs() {
  using enum Line;
  return {
      {0,
       {{curved,
         {{.55, .02},
          {.2, .15},
          {.08, .5},
          {.22, .88},
          {.52, .98},
          {.82, .82},
          {.92, .48},
          {.8, .14},
          {.5, .02}}}}},
      {1, {{straight, {{.52, .0}, {.5, 1.0}}}}},
      {1, {{straight, {{.28, .24}, {.56, .0}, {.52, 1.0}}}}},
      {2,
       {{curved, {{.12, .24}, {.32, .03}, {.72, .06}, {.82, .32}, {.55, .62}, {.1, .97}}},
        {straight, {{.1, .97}, {.9, .95}}}}},
      {2,
       {{curved,
         {{.12, .2},
          {.45, .0},
          {.82, .2},
          {.68, .55},
          {.3, .92},
          {.12, .85},
          {.3, .76},
          {.6, .92},
          {.92, .9}}}}},
      {3,
       {{curved,
         {{.14, .12},
          {.5, .0},
          {.82, .2},
          {.62, .43},
          {.4, .48},
          {.7, .53},
          {.88, .75},
          {.55, 1.0},
          {.1, .86}}}}},
      {4, {{straight, {{.58, .0}, {.08, .64}, {.94, .62}}}, {straight, {{.68, .3}, {.64, 1.0}}}}},
      {4,
       {{curved, {{.16, .04}, {.1, .3}, {.2, .5}, {.5, .54}, {.82, .46}}},
        {straight, {{.84, .02}, {.78, 1.0}}}}},
      {5,
       {{straight, {{.84, .02}, {.26, .04}, {.2, .44}}},
        {curved, {{.2, .44}, {.5, .36}, {.84, .52}, {.82, .84}, {.46, 1.0}, {.1, .88}}}}},
      {6,
       {{curved,
         {{.74, .02},
          {.36, .2},
          {.12, .6},
          {.24, .93},
          {.56, .98},
          {.82, .78},
          {.66, .54},
          {.36, .56},
          {.16, .76}}}}},
      {7, {{straight, {{.1, .06}, {.88, .04}, {.4, 1.0}}}}},
      {7, {{straight, {{.1, .06}, {.88, .04}, {.42, 1.0}}}, {straight, {{.36, .5}, {.82, .48}}}}},
      {8,
       {{curved,
         {{.78, .14},
          {.45, .0},
          {.2, .2},
          {.42, .42},
          {.72, .6},
          {.8, .82},
          {.5, 1.0},
          {.18, .82},
          {.3, .58},
          {.62, .4},
          {.78, .18},
          {.72, .08}}}}},
      {9,
       {{curved, {{.82, .2}, {.5, .02}, {.18, .22}, {.3, .48}, {.62, .46}, {.82, .2}}},
        {curved, {{.84, .12}, {.8, .5}, {.62, .98}}}}},
      {9,
       {{curved,
         {{.8, .16},
          {.46, .02},
          {.16, .26},
          {.4, .5},
          {.76, .34},
          {.84, .14},
          {.8, .6},
          {.54, .98},
          {.2, .92}}}}},
  };
}

// The curve through p1 and p2 at t in [0, 1] (Catmull-Rom).
double between(double p0, double p1, double p2, double p3, double t) {
  return p1 +
         0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
}

// The stroke as a polyline.
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

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const double along =
      length2 > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0.0, 1.0) : 0;
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

using Ink = std::array<double, kSide * kSide>;  // 0 paper, 1 ink

// Darkens the pixels near the segment; pixel centres are at halves.
void draw_segment(Ink& ink, Point a, Point b, double radius) {
  const auto bound = [](double value) {
    return std::clamp<int64_t>(static_cast<int64_t>(std::floor(value)), 0, kSide - 1);
  };
  const double reach = radius + 1;
  for (int64_t y = bound(std::min(a.y, b.y) - reach); y <= bound(std::max(a.y, b.y) + reach); ++y) {
    for (int64_t x = bound(std::min(a.x, b.x) - reach); x <= bound(std::max(a.x, b.x) + reach);
         ++x) {
      const Point centre{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
      const double cover = radius + 0.5 - distance_to_segment(centre, a, b);
      double& pixel = ink[y * kSide + x];
      pixel = std::max(pixel, std::clamp(cover, 0.0, 1.0));
    }
  }
}

// How this writer's hand maps the unit square to pixels.
struct Hand {
  double width, height, slant, cosine, sine, x, y;

  explicit Hand(Random& random)
      : width(random.uniform(8, 14.5)),
        height(random.uniform(15, 21)),
        slant(random.uniform(-0.35, 0.15)) {
    const double angle = random.uniform(-14, 14) * std::numbers::pi / 180;
    cosine = std::cos(angle);
    sine = std::sin(angle);
    x = kSide / 2.0 + random.uniform(-2.2, 2.2);
    y = kSide / 2.0 + random.uniform(-2.2, 2.2);
  }

  Point place(Point p) const {
    const double down = (p.y - 0.5) * height;
    const double right = (p.x - 0.5) * width + slant * down;
    return {x + cosine * right - sine * down, y + sine * right + cosine * down};
  }
};

Tensor render(const Glyph& glyph, Random& random) {
  constexpr double kJitter = 0.035, kNoise = 10;
  const Hand hand(random);
  const double radius = random.uniform(0.6, 1.6), darkness = random.uniform(190, 255);
  Ink ink{};
  for (Stroke stroke : glyph.strokes) {
    for (Point& point : stroke.points) {
      point.x += kJitter * random.normal();
      point.y += kJitter * random.normal();
      point = hand.place(point);
    }
    const std::vector<Point> line = flatten(stroke);
    for (size_t i = 1; i < line.size(); ++i) draw_segment(ink, line[i - 1], line[i], radius);
  }
  Tensor picture = Tensor::zeros(DType::u8, {1, kSide, kSide});
  const std::span<uint8_t> pixels = picture.mutate<uint8_t>();
  for (size_t i = 0; i < pixels.size(); ++i) {
    const double value = ink[i] * darkness + random.uniform(-kNoise, kNoise);
    pixels[i] = static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
  }
  return picture;
}

class Digits : public Dataset {
 public:
  explicit Digits(Split split) : split_(split), forms_(kClasses) {
    for (Glyph& glyph : make_glyphs()) forms_[glyph.digit].push_back(std::move(glyph));
  }

  int64_t size() const override { return split_ == Split::train ? kTrainSize : kTestSize; }
  int64_t classes() const override { return kClasses; }
  std::string name() const override { return "digits"; }
  std::optional<Preprocessing> own_preprocessing() const override {
    return parse_preprocessing("scale=1/255,mean=.1019,std=.2444");
  }

  Sample read(int64_t index) const override {
    COPPICE_CHECK(index >= 0 && index < size(), "sample index out of range");
    const uint64_t split = split_ == Split::train ? 0 : 1;
    const uint64_t ten = static_cast<uint64_t>(index / kClasses);
    Random order = Random::stream(kSeed, {split, ten, 0});
    const int64_t label = order.permutation(kClasses)[index % kClasses];
    Random random = Random::stream(kSeed, {split, static_cast<uint64_t>(index), 1});
    const std::vector<Glyph>& forms = forms_[label];
    return {render(forms[random.below(forms.size())], random), label};
  }

 private:
  Split split_;
  std::vector<std::vector<Glyph>> forms_;  // by digit
};

}  // namespace

std::unique_ptr<Dataset> open_digits(const std::string&, Split split) {
  return std::make_unique<Digits>(split);
}

}  // namespace coppice
