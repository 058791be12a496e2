// For tests of lowerings: the two judges there are, the reference executor for values and central
// differences in double precision for gradients.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "runtime/reference.h"
#include "support/graphs/lowered_graph.h"

namespace coppice::train {

// Sums run in another order and in float.
inline constexpr double kForwardTolerance = 1e-5;
// A step of 1e-6 leaves some 1e-10 of rounding and of curvature; a wrong rule is off by far more.
inline constexpr double kGradientStep = 1e-6, kGradientTolerance = 1e-6;

// Relative to the largest element.
inline double difference(const at::Tensor& expected, const at::Tensor& found) {
  if (expected.sizes() != found.sizes()) return 2;
  if (expected.numel() == 0) return 0;
  const at::Tensor e = expected.to(at::kDouble), f = found.to(at::kDouble);
  const double off = (e - f).abs().max().item<double>();
  return off == 0 ? 0 : off / std::max(e.abs().max().item<double>(), 1e-20);
}

inline void expect_reference(const LoweredGraph& lowered, const at::Tensor& found, size_t output,
                             const std::vector<Tensor>& expected, double tolerance) {
  const ValueId id = lowered.graph.outputs[output];
  ASSERT_TRUE(found.defined()) << "output '" << lowered.graph.value(id).name << "' was not made";
  const at::Tensor value = to_torch(expected[output]);
  EXPECT_EQ(value.scalar_type(), found.scalar_type());
  EXPECT_LT(difference(value, found), tolerance)
      << "output '" << lowered.graph.value(id).name << "': reference " << value.sizes()
      << ", lowered " << found.sizes();
}

// The lowered graph computes in evaluation mode what the reference does, whatever the layout.
inline void expect_forward(const LoweredGraph& lowered) {
  const std::vector<Tensor> expected = run_reference(lowered.graph, lowered.inputs);
  for (const Layout layout : {Layout::plain, Layout::channels_last}) {
    SCOPED_TRACE(layout == Layout::plain ? "plain" : "channels last");
    const Values values = lowered.run(lowered.leaves(at::kFloat, layout), Mode::evaluation);
    for (size_t o = 0; o < expected.size(); ++o) {
      expect_reference(lowered, values[lowered.graph.outputs[o]], o, expected, kForwardTolerance);
    }
  }
}

// Inner products with fixed weights: one number that every output element takes part in.
inline at::Tensor loss_of(const LoweredGraph& lowered, const Values& leaves, Mode mode) {
  Values own;  // statistics are updated in place; every run begins with the same
  for (const at::Tensor& leaf : leaves) {
    own.push_back(leaf.defined() && !leaf.requires_grad() ? leaf.clone() : leaf);
  }
  const Values values = lowered.run(own, mode);
  at::Tensor loss = at::zeros({}, at::kDouble);
  for (const ValueId id : lowered.graph.outputs) {
    Tensor weights = Tensor::zeros(DType::f32, values[id].sizes().vec());
    Random(11).fill_normal(weights.mutate<float>(), 1);
    loss = loss + (values[id] * to_torch(weights)).sum();
  }
  return loss;
}

// Every gradient agrees with central differences; there must be one.
inline void expect_gradients(const LoweredGraph& lowered, Mode mode = Mode::evaluation) {
  const Values leaves = lowered.leaves(at::kDouble);
  const std::vector<ValueId> ids = lowered.differentiated();
  Values tracked = leaves;
  std::vector<at::Tensor> wanted;
  for (const ValueId id : ids) {
    wanted.push_back(tracked[id] = leaves[id].clone().requires_grad_(true));
  }
  const at::Tensor loss = loss_of(lowered, tracked, mode);
  ASSERT_TRUE(loss.requires_grad()) << "no gradient flows";
  const auto gradients = torch::autograd::grad({loss}, wanted, {}, false, false, true);

  const at::NoGradGuard no_gradients;
  for (size_t k = 0; k < ids.size(); ++k) {
    Values moved = leaves;
    at::Tensor flat = (moved[ids[k]] = leaves[ids[k]].clone()).view({-1});
    at::Tensor expected = at::zeros_like(flat);
    double* const x = flat.data_ptr<double>();
    for (int64_t i = 0; i < flat.numel(); ++i) {
      const double kept = x[i];
      x[i] = kept + kGradientStep;
      const double above = loss_of(lowered, moved, mode).item<double>();
      x[i] = kept - kGradientStep;
      const double below = loss_of(lowered, moved, mode).item<double>();
      x[i] = kept;
      expected[i] = (above - below) / (2 * kGradientStep);
    }
    const at::Tensor found =
        gradients[k].defined() ? gradients[k].reshape({-1}) : at::zeros_like(flat);
    // Gradients near zero are held against the size of a usual one.
    const double scale = std::max(expected.abs().max().item<double>(), 1e-2);
    EXPECT_LT((expected - found).abs().max().item<double>() / scale, kGradientTolerance)
        << "gradient of '" << lowered.graph.value(ids[k]).name << "'";
  }
}

// Values and gradients of one text graph.
inline void expect_lowered(const std::string& text, int64_t batch = 2) {
  SCOPED_TRACE(text);
  try {
    const LoweredGraph lowered(text, batch);
    expect_forward(lowered);
    expect_gradients(lowered);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

// For what has no gradient.
inline void expect_values(const std::string& text) {
  SCOPED_TRACE(text);
  try {
    expect_forward(LoweredGraph(text));
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

// The message with which lowering or running the graph fails.
inline std::string refusal_of(const std::string& text, Mode mode = Mode::evaluation,
                              int64_t batch = 2) {
  try {
    const LoweredGraph lowered(text, batch);
    lowered.run(lowered.leaves(at::kFloat), mode);
  } catch (const Error& error) {
    // A bad file, or what can't be run or trained.
    EXPECT_TRUE(error.kind() == ErrorKind::input || error.kind() == ErrorKind::target);
    return error.what();
  }
  return "it ran";
}

}  // namespace coppice::train
