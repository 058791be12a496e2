// Sparse convolutions of every geometry, on every instruction set that this processor has, beside
// sums in double.

#include "runtime/sparse/conv.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace coppice::runtime {
namespace {

int64_t pick(Random& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random.below(high - low + 1));
}

struct Case {
  Shape x, y;
  Tensor weight;
  SparseWindow window;
};

// Zeros in blocks of `together` rows.
Tensor sparse_weight(Random& random, const Shape& shape, double zeros, int64_t together) {
  Tensor weight = Tensor::zeros(DType::f32, shape);
  const auto values = weight.mutate<float>();
  random.fill_normal(values, 1);
  const auto rows = shape[0], columns = static_cast<int64_t>(values.size()) / rows;
  for (int64_t row = 0; row < rows; row += together) {
    for (int64_t i = 0; i < columns; ++i) {
      if (random.uniform() >= zeros) continue;
      for (int64_t r = row; r < std::min(rows, row + together); ++r) values[r * columns + i] = 0;
    }
  }
  return weight;
}

Case draw(uint64_t seed) {
  Random random(seed);
  Case drawn;
  SparseWindow& w = drawn.window;
  w.groups = random.below(4) ? 1 : pick(random, 2, 4);
  Shape x{pick(random, 1, 2), w.groups * pick(random, 1, 9)},
      y{x[0], w.groups * pick(random, 1, 13)};
  const bool strided = random.below(3) == 0;
  for (int axis = 0; axis < 2; ++axis) {
    w.kernel[axis] = pick(random, 1, 4);
    w.strides[axis] = strided ? pick(random, 1, 3) : 1;
    w.dilations[axis] = pick(random, 1, 2);
    w.begin[axis] = pick(random, 0, 3);
    const int64_t end = pick(random, 0, 3), extent = (w.kernel[axis] - 1) * w.dilations[axis] + 1;
    const int64_t size = std::max(extent - w.begin[axis] - end, pick(random, 1, axis ? 67 : 12));
    x.push_back(std::max<int64_t>(1, size));
    y.push_back((x.back() + w.begin[axis] + end - extent) / w.strides[axis] + 1);
  }
  drawn.x = x;
  drawn.y = y;
  const int64_t together = int64_t{1} << random.below(3);
  drawn.weight = sparse_weight(random, {y[1], x[1] / w.groups, w.kernel[0], w.kernel[1]},
                               random.below(8) ? 0.1 * pick(random, 3, 10) : 1.0, together);
  return drawn;
}

double expected(const Case& c, const std::vector<float>& x, int64_t n, int64_t o, int64_t i,
                int64_t j) {
  const int64_t inner = c.weight.shape()[1], group = o / (c.y[1] / c.window.groups);
  double sum = 0;
  for (int64_t k = 0; k < inner; ++k) {
    for (int64_t a = 0; a < c.window.kernel[0]; ++a) {
      for (int64_t b = 0; b < c.window.kernel[1]; ++b) {
        const int64_t row = i * c.window.strides[0] + a * c.window.dilations[0] - c.window.begin[0];
        const int64_t column =
            j * c.window.strides[1] + b * c.window.dilations[1] - c.window.begin[1];
        if (row < 0 || row >= c.x[2] || column < 0 || column >= c.x[3]) continue;
        const float w =
            c.weight
                .as<float>()[((o * inner + k) * c.window.kernel[0] + a) * c.window.kernel[1] + b];
        sum += static_cast<double>(w) *
               x[((n * c.x[1] + group * inner + k) * c.x[2] + row) * c.x[3] + column];
      }
    }
  }
  return sum;
}

std::vector<float> placed(const Planes& planes, const std::vector<float>& plain) {
  std::vector<float> data(planes.floats(), NAN);
  planes.clear_between(data.data());
  size_t i = 0;
  for (int64_t n = 0; n < planes.images; ++n) {
    for (int64_t c = 0; c < planes.channels; ++c) {
      for (int64_t y = 0; y < planes.rows; ++y) {
        for (int64_t x = 0; x < planes.columns; ++x) {
          data[n * planes.image + planes.lead + c * planes.plane + y * planes.pitch + x] =
              plain[i++];
        }
      }
    }
  }
  return data;
}

std::vector<float> normal(Random& random, int64_t count) {
  std::vector<float> values(count);
  random.fill_normal(values, 1);
  return values;
}

// Bias, a residual sum in the output's place, and a ReLU.
std::vector<float> run(const Case& c, const PlaneSizes& sizes, const SparseVariant& variant,
                       int threads, const std::vector<float>& x, const std::vector<float>& bias,
                       const std::vector<float>& residual) {
  const Planes from = sizes.of(c.x), to = sizes.of(c.y);
  const SparseConv conv(c.weight, c.window, from, to, variant);
  const std::vector<float> input = placed(from, x);
  std::vector<float> output = placed(to, residual);
  std::vector<float> scratch(conv.scratch_bytes() / sizeof(float), NAN);
  const Finish relu[] = {{.kind = Finish::Kind::relu}};
  conv.run({.x = input.data(),
            .y = output.data(),
            .scratch = scratch.data(),
            .bias = bias.data(),
            .start = output.data(),
            .finish = relu,
            .threads = threads});
  return output;
}

void expect_right(uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Case c = draw(seed);
  PlaneSizes sizes;
  ASSERT_TRUE(require_planes(sizes, c.x, c.y, c.window));
  Random random(seed + 1);
  const std::vector<float> x = normal(random, element_count(c.x)), bias = normal(random, c.y[1]),
                           residual = normal(random, element_count(c.y));
  std::vector<float> wanted;
  for (int64_t n = 0, at = 0; n < c.y[0]; ++n) {
    for (int64_t o = 0; o < c.y[1]; ++o) {
      for (int64_t i = 0; i < c.y[2]; ++i) {
        for (int64_t j = 0; j < c.y[3]; ++j, ++at) {
          const double sum = expected(c, x, n, o, i, j) + bias[o] + residual[at];
          wanted.push_back(static_cast<float>(std::max(0.0, sum)));
        }
      }
    }
  }
  // The zeros between pixels are expected, too.
  wanted = placed(sizes.of(c.y), wanted);
  for (const Isa isa : available_isas()) {
    const SparseVariant variant{isa, static_cast<int>(1 + seed % 16), seed % 2 ? 1024 : 65536};
    const std::vector<float> y = run(c, sizes, variant, 1, x, bias, residual);
    ASSERT_EQ(y.size(), wanted.size());
    for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], wanted[i], 1e-4) << name_of(isa) << i;
    EXPECT_EQ(run(c, sizes, variant, 2, x, bias, residual), y) << "with two threads";
  }
}

TEST(SparseConv, equals_sums_in_double_for_every_geometry) {
  for (uint64_t seed = 0; seed < 150; ++seed) expect_right(seed);
}

TEST(SparseConv, geometry_that_planes_do_not_cover_is_refused) {
  PlaneSizes sizes;
  EXPECT_FALSE(require_planes(sizes, {1, 1, 40, 40}, {1, 1, 40, 40},
                              {{31, 31}, {1, 1}, {1, 1}, {15, 15}, 1}));
}

TEST(SparseStream, blocks_are_found_where_rows_share_their_zeros) {
  Random random(1);
  for (const int together : {1, 2, 4}) {
    const Tensor weight = sparse_weight(random, {64, 32, 3, 3}, 0.9, together);
    EXPECT_EQ(rows_together(weight, 1), together);
    StreamOptions options{.rows_together = together,
                          .chunk_channels = 32,
                          .groups = 1,
                          .tap_offsets = std::vector<int64_t>(9, 0),
                          .channel_bytes = 64};
    EXPECT_EQ(streams_of(weight, options).size(), 1u);
  }
}

}  // namespace
}  // namespace coppice::runtime
