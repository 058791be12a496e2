// RoiAlign and GridSample: pictures looked at between their pixels.

#include <cmath>
#include <limits>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

struct Plane {
  const float* data;
  int64_t height, width;

  double at(int64_t y, int64_t x) const { return data[y * width + x]; }
  bool holds(int64_t y, int64_t x) const { return y >= 0 && y < height && x >= 0 && x < width; }
};

// As RoiAlign has it: a point up to a pixel outside counts as on the edge, one beyond is zero.
// `largest`: of the four weighted pixels, as ONNX has it for the mode 'max'.
double between(const Plane& plane, double y, double x, bool largest) {
  if (y < -1 || y > static_cast<double>(plane.height) || x < -1 ||
      x > static_cast<double>(plane.width)) {
    return 0;
  }
  const auto split = [](double place, int64_t size, int64_t& low, int64_t& high) {
    place = std::max(place, 0.0);
    low = static_cast<int64_t>(place);
    if (low >= size - 1) {
      low = high = size - 1;
      return 0.0;
    }
    high = low + 1;
    return place - static_cast<double>(low);
  };
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  const double down = split(y, plane.height, top, bottom);
  const double along = split(x, plane.width, left, right);
  const double a = plane.at(top, left) * (1 - down) * (1 - along);
  const double b = plane.at(top, right) * (1 - down) * along;
  const double c = plane.at(bottom, left) * down * (1 - along);
  const double d = plane.at(bottom, right) * down * along;
  return largest ? std::max({a, b, c, d}) : a + b + c + d;
}

struct Region {
  double top, left, cell_height, cell_width;  // of one output pixel
  int64_t rows, columns;                      // points looked at in it
};

Region region_of(const Node& node, const Graph& graph, const float* corners, int64_t height,
                 int64_t width) {
  const double scale = node.attributes.real("spatial_scale", 1);
  const std::string usual = graph.opset >= 16 ? "half_pixel" : "output_half_pixel";
  const bool half = node.attributes.text("coordinate_transformation_mode", usual) == "half_pixel";
  const double shift = half ? 0.5 : 0;
  const double left = corners[0] * scale - shift, top = corners[1] * scale - shift;
  double high = corners[3] * scale - shift - top, wide = corners[2] * scale - shift - left;
  if (!half) {
    high = std::max(high, 1.0);
    wide = std::max(wide, 1.0);
  }
  Region region{top, left, high / static_cast<double>(height), wide / static_cast<double>(width),
                0,   0};
  const int64_t ratio = node.attributes.integer("sampling_ratio", 0);
  region.rows = ratio > 0 ? ratio : static_cast<int64_t>(std::ceil(region.cell_height));
  region.columns = ratio > 0 ? ratio : static_cast<int64_t>(std::ceil(region.cell_width));
  return region;
}

double cell_of(const Region& region, const Plane& plane, int64_t row, int64_t column,
               bool largest) {
  double sum = 0, most = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < region.rows; ++i) {
    for (int64_t k = 0; k < region.columns; ++k) {
      const double y =
          region.top + (static_cast<double>(row) +
                        (static_cast<double>(i) + 0.5) / static_cast<double>(region.rows)) *
                           region.cell_height;
      const double x =
          region.left + (static_cast<double>(column) +
                         (static_cast<double>(k) + 0.5) / static_cast<double>(region.columns)) *
                            region.cell_width;
      const double found = between(plane, y, x, largest);
      sum += found;
      most = std::max(most, found);
    }
  }
  const auto points = static_cast<double>(std::max<int64_t>(region.rows * region.columns, 1));
  if (!largest) return sum / points;
  return std::isfinite(most) ? most : 0;
}

// Where on an axis of `size` pixels a place in [-1, 1] lies.
double unnormalised(double place, int64_t size, bool corners) {
  const auto length = static_cast<double>(size);
  return corners ? (place + 1) / 2 * (length - 1) : ((place + 1) * length - 1) / 2;
}

// Between `low` and `high`, mirrored at both.
double reflected(double place, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  double off = std::fmod(std::fabs(place - low), 2 * range);
  if (off > range) off = 2 * range - off;
  return low + off;
}

struct Sampling {
  bool corners;
  std::string padding;

  int64_t inside(int64_t place, int64_t size) const {
    if (padding == "border") return std::clamp<int64_t>(place, 0, size - 1);
    if (padding != "reflection") return place;
    const double low = corners ? 0 : -0.5;
    const double high = static_cast<double>(size) - (corners ? 1 : 0.5);
    const double moved = reflected(static_cast<double>(place), low, high);
    return std::clamp<int64_t>(static_cast<int64_t>(moved), 0, size - 1);
  }
  double pixel(const Plane& plane, int64_t y, int64_t x) const {
    y = inside(y, plane.height);
    x = inside(x, plane.width);
    return plane.holds(y, x) ? plane.at(y, x) : 0;
  }
};

double sampled(const Sampling& sampling, const Plane& plane, double y, double x, bool nearest) {
  if (nearest) {
    return sampling.pixel(plane, static_cast<int64_t>(std::nearbyint(y)),
                          static_cast<int64_t>(std::nearbyint(x)));
  }
  const auto top = static_cast<int64_t>(std::floor(y)), left = static_cast<int64_t>(std::floor(x));
  const double down = y - static_cast<double>(top), along = x - static_cast<double>(left);
  return sampling.pixel(plane, top, left) * (1 - down) * (1 - along) +
         sampling.pixel(plane, top, left + 1) * (1 - down) * along +
         sampling.pixel(plane, top + 1, left) * down * (1 - along) +
         sampling.pixel(plane, top + 1, left + 1) * down * along;
}

}  // namespace

std::vector<Tensor> roi_align(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0), regions = floats(graph, node, inputs, 1);
  const std::vector<int64_t> of = to_int64s(*inputs[2]);
  const Shape& shape = inputs[0]->shape();
  const int64_t height = node.attributes.integer("output_height", 1),
                width = node.attributes.integer("output_width", 1);
  const bool largest = node.attributes.text("mode", "avg") == "max";
  Tensor result = Tensor::zeros(DType::f32, {inputs[1]->shape()[0], shape[1], height, width});
  float* y = result.mutate<float>().data();
  for (size_t r = 0; r < of.size(); ++r) {
    if (of[r] < 0 || of[r] >= shape[0]) {
      fail_input(where(graph, node) + ": a region is of image " + std::to_string(of[r]) + " of " +
                 std::to_string(shape[0]));
    }
    const Region region = region_of(node, graph, regions.data() + 4 * r, height, width);
    for (int64_t c = 0; c < shape[1]; ++c) {
      const Plane plane{x.data() + (of[r] * shape[1] + c) * shape[2] * shape[3], shape[2],
                        shape[3]};
      for (int64_t cell = 0; cell < height * width; ++cell) {
        *y++ = static_cast<float>(cell_of(region, plane, cell / width, cell % width, largest));
      }
    }
  }
  return {std::move(result)};
}

std::vector<Tensor> grid_sample(const Graph& graph, const Node& node, Inputs inputs) {
  const auto x = floats(graph, node, inputs, 0), grid = floats(graph, node, inputs, 1);
  const Shape &shape = inputs[0]->shape(), &places = inputs[1]->shape();
  const std::string mode = node.attributes.text("mode", "linear");
  const bool nearest = mode == "nearest";
  if (shape.size() != 4 || (!nearest && mode != "linear" && mode != "bilinear")) {
    fail_input(where(graph, node) + ": mode '" + mode + "' of rank " +
               std::to_string(shape.size()) + " can't be run; only images, linear or nearest, can");
  }
  const Sampling sampling{node.attributes.integer("align_corners", 0) != 0,
                          node.attributes.text("padding_mode", "zeros")};
  Tensor result = Tensor::zeros(DType::f32, {shape[0], shape[1], places[1], places[2]});
  float* y = result.mutate<float>().data();
  const int64_t pixels = places[1] * places[2];
  for (int64_t p = 0; p < shape[0] * shape[1]; ++p) {
    const Plane plane{x.data() + p * shape[2] * shape[3], shape[2], shape[3]};
    const float* place = grid.data() + p / shape[1] * pixels * 2;
    for (int64_t i = 0; i < pixels; ++i, place += 2) {
      *y++ = static_cast<float>(
          sampled(sampling, plane, unnormalised(place[1], shape[2], sampling.corners),
                  unnormalised(place[0], shape[3], sampling.corners), nearest));
    }
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
