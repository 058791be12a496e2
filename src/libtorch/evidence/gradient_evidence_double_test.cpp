// Evidence in double: numbers that float32 has none for.
#include <gtest/gtest.h>

#include <cmath>

#include "support/test_trainer.h"

namespace coppice::train {
namespace {

using Mode = CollectOptions::Mode;

// Also behind a Cast to float32 in the graph.
TEST(GradientEvidenceInDouble, holds_what_float32_does_not) {
  TrainingSetup setup = for_classes(3);
  setup.losses["s"] = 1;
  TestTrainer net(R"(
    input x float32 [N, 4]
    const w1 float32 [4, 4] random
    const big float32 [] = 1e30
    const w2 float32 [4, 3] random
    const half float32 [] = 0.5
    a = MatMul(x, w1)
    b = Mul(a, big)
    c = Cast(b) {to=1}
    d = Mul(c, big)
    s = MatMul(d, w2)
    y = Sub(s, s)
    output y
    output s)",
                  setup);
  const EvidenceRequest request{"w2", Reduction::weight_gradients};
  const Tensor images = random_tensor({2, 4}, 1);
  const std::vector<int64_t> labels{0, 1};
  const Evidence found =
      net.trainer->collect(images, labels, std::vector{request},
                           {.mode = Mode::evaluation, .numbers = CollectOptions::Numbers::f64});
  double largest = 0;
  for (const double g : found.numbers(request)) {
    ASSERT_TRUE(std::isfinite(g));
    largest = std::max(largest, std::fabs(g));
  }
  EXPECT_GT(largest, 1e58);
}

}  // namespace
}  // namespace coppice::train
