// Sparse products of odd shapes, on every instruction set that this processor has, beside sums in
// double.

#include "runtime/sparse/product/product.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"

namespace coppice::runtime {
namespace {

struct Case {
  int64_t rows, inputs, outputs;
  std::vector<float> weight = {}, x = {}, bias = {}, start = {};
  bool transposed = false;

  MatrixView view() const {
    return transposed ? MatrixView{weight.data(), outputs, inputs, 1, outputs}
                      : MatrixView{weight.data(), outputs, inputs, inputs, 1};
  }
};

std::vector<float> normal(Random& random, int64_t count) {
  std::vector<float> values(count);
  random.fill_normal(values, 1);
  return values;
}

// Rows of weights that are as uneven as training leaves them.
Case draw(uint64_t seed) {
  Random random(seed);
  const auto pick = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random.below(static_cast<uint64_t>(high - low + 1)));
  };
  Case c{.rows = pick(1, 8),
         .inputs = pick(1, random.below(2) ? 67 : 700),
         .outputs = pick(1, 67),
         .transposed = random.below(2) == 0};
  c.weight = normal(random, c.inputs * c.outputs);
  const double zeros = random.below(8) ? 0.1 * static_cast<double>(pick(0, 10)) : 1;
  for (int64_t o = 0; o < c.outputs; ++o) {
    const double of_row = std::min(1.0, zeros * 2 * random.uniform());
    for (int64_t i = 0; i < c.inputs; ++i) {
      float& w = c.weight[c.transposed ? i * c.outputs + o : o * c.inputs + i];
      if (random.uniform() < of_row) w = 0;
    }
  }
  c.x = normal(random, c.rows * c.inputs);
  c.bias = normal(random, c.outputs);
  c.start = normal(random, c.rows * c.outputs);
  return c;
}

std::vector<float> run(const Case& c, Isa isa, int threads) {
  const SparseProduct product(c.view(), isa);
  std::vector<float> y(c.rows * c.outputs, NAN), scratch(product.scratch_floats(c.rows), NAN);
  const Finish finish[] = {{.kind = Finish::Kind::relu},
                           {.kind = Finish::Kind::add, .operand = c.start.data()}};
  product.run({.x = c.x.data(),
               .y = y.data(),
               .scratch = scratch.data(),
               .rows = c.rows,
               .bias = c.bias.data(),
               .start = c.start.data(),
               .finish = finish,
               .threads = threads});
  return y;
}

TEST(SparseProduct, equals_sums_in_double) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Case c = draw(seed);
    const MatrixView weight = c.view();
    for (const Isa isa : available_isas()) {
      SCOPED_TRACE(name_of(isa));
      const std::vector<float> y = run(c, isa, 1);
      for (int64_t m = 0; m < c.rows; ++m) {
        for (int64_t o = 0; o < c.outputs; ++o) {
          double sum = c.bias[o] + c.start[m * c.outputs + o], size = std::fabs(sum);
          for (int64_t i = 0; i < c.inputs; ++i) {
            const double term = static_cast<double>(weight.at(o, i)) * c.x[m * c.inputs + i];
            sum += term;
            size += std::fabs(term);
          }
          const double expected = std::max(0.0, sum) + c.start[m * c.outputs + o];
          ASSERT_NEAR(y[m * c.outputs + o], expected, 1e-5 * (1 + size)) << m << " " << o;
        }
      }
    }
  }
}

TEST(SparseProduct, does_not_depend_on_threads) {
  Random random(1);
  Case c{.rows = 3, .inputs = 1000, .outputs = 1003, .transposed = false};
  c.weight = normal(random, c.inputs * c.outputs);
  for (float& w : c.weight) w = random.uniform() < 0.5 ? 0 : w;
  c.x = normal(random, c.rows * c.inputs);
  c.bias = normal(random, c.outputs);
  c.start = normal(random, c.rows * c.outputs);
  for (const Isa isa : available_isas()) {
    const std::vector<float> alone = run(c, isa, 1);
    for (const int threads : {2, 3, 7}) EXPECT_EQ(run(c, isa, threads), alone) << name_of(isa);
  }
}

}  // namespace
}  // namespace coppice::runtime
