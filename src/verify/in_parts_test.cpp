// A graph that is run part after part gives what it gives as a whole.
#include "verify/in_parts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/executable.h"
#include "runtime/latency.h"
#include "support/graphs/random_graph.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

void expect_close(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  ASSERT_EQ(a.dtype(), b.dtype());
  if (a.dtype() != DType::f32) {
    EXPECT_EQ(a, b);
    return;
  }
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(a.as<float>()[i])));
    difference =
        std::max(difference, std::fabs(static_cast<double>(a.as<float>()[i] - b.as<float>()[i])));
  }
  EXPECT_LE(difference, 1e-5 * std::max(largest, 1.0));
}

// In parts of one layer each.
void expect_same_in_parts(const Graph& graph) {
  const InputSizes sizes{.inputs = {}, .batch = 2};
  Executable whole = compile(graph, sizes);
  const std::vector<std::vector<Tensor>> sets = {random_inputs(whole, 1), random_inputs(whole, 2)};
  const auto found = run_in_parts(graph, infer(graph, sizes), sets, 1);
  ASSERT_EQ(found.size(), sets.size());
  for (size_t s = 0; s < sets.size(); ++s) {
    const std::vector<Tensor> expected = whole.run(sets[s]);
    ASSERT_EQ(found[s].size(), expected.size());
    for (size_t o = 0; o < expected.size(); ++o) expect_close(expected[o], found[s][o]);
  }
}

TEST(InParts, random_graphs_give_what_they_give_as_a_whole) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_same_in_parts(RandomGraph(seed).build());
  }
}

// Weights that are dequantised far before they are read, a size that flows past several parts, an
// input that is an output, and a constant that is one.
TEST(InParts, what_is_computed_from_constants_goes_with_its_reader) {
  expect_same_in_parts(parse_text_graph(R"(
      input x float32 [N, 3, 4, 4]
      const codes float32 [4, 3, 1, 1] random
      const half float32 [] = 0.5
      const w2 float32 [4, 4, 1, 1] random
      const tail int64 [1] = -1
      const first int64 [] = 0
      const axis int64 [1] = 0
      w1 = Mul(codes, half)
      shape = Shape(x)
      n = Gather(shape, first) {axis=0}
      m = Unsqueeze(n, axis)
      to = Concat(m, tail) {axis=0}
      a = Conv(x, w1)
      b = Relu(a)
      c = Conv(b, w2)
      d = Conv(c, w2)
      e = Add(d, b)
      y = Reshape(e, to)
      output y
      output x
      output w2)"));
}

}  // namespace
}  // namespace coppice
