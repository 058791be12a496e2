// Structures trained from weights drawn anew, by a trainer that only pretends to.
#include "methods/scratch/scratch.h"

#include <gtest/gtest.h>

#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/scratch/given_structure.h"
#include "session/options/training_options.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;

const Tensor& tensor(const Graph& graph, const std::string& name) {
  return *graph.value(*find_value(graph, name)).constant;
}

int64_t zeros_of(const Graph& graph, const std::string& name) {
  return std::ranges::count(tensor(graph, name).as<float>(), 0.0f);
}

// What a structure of the net in fake_session.h can be given by.
GivenStructure plan_of_half(const Graph& graph) {
  OneShotOptions options;
  options.budget = {Budget::Of::ratio, 0.5};
  options.round_to = 1;
  return {.file = "plan.json", .plan = prune_once(graph, find_criterion("l1"), options).plan};
}

GivenStructure masks_of(const Graph& graph, double sparsity) {
  Plan plan;
  plan.masks = magnitude_masks(graph, {.sparsity = sparsity});
  return {.file = "plan.json", .plan = plan};
}

struct Scratch : testing::Test {
  Graph net = parse_text_graph(fake::kNet);
  Fixture fixture;

  Outcome run(const std::string& name, const GivenStructure& structure, Request options = {},
              uint64_t seed = 0, int64_t epochs = 2) {
    const Method& method = find_method(name);
    Settings settings(options_of(method));
    settings.set(kStructure, structure.file);
    for (const OptionUse& use : settings.options()) {
      for (const auto& [option, value] : options) {
        if (use.option->name() == option) settings.set(*use.option, value);
      }
    }
    method.settle(settings);
    // As the task does: what of the original stays is the method's to say.
    fixture.open(net, {.zeros = SessionOptions::Zeros::free});
    return method.train(*fixture.opened, fake::recipe(epochs),
                        {.settings = settings,
                         .seed = seed,
                         .structure = std::make_shared<const GivenStructure>(structure)});
  }
  int64_t fact(const Outcome& outcome, const std::string& name) const {
    return std::ranges::find(outcome.facts, name, [](const auto& f) { return f.first; })->second;
  }
};

TEST_F(Scratch, a_plans_structure_is_trained_for_the_dense_epochs_from_other_weights) {
  const Outcome outcome = run("scratch-e", plan_of_half(net));
  EXPECT_EQ(tensor(outcome.graph, "w1").shape()[0], 2);
  EXPECT_EQ(std::ssize(fixture.opened->history()), 2);
  EXPECT_EQ(fixture.opened->history().back().stage, "training from scratch");
  EXPECT_TRUE(outcome.verified);
  EXPECT_EQ(outcome.plan.method, "scratch-e");
  EXPECT_FALSE(outcome.plan.slices.empty());
  EXPECT_EQ(fact(outcome, "scratch_epochs"), 2);
}

TEST_F(Scratch, nothing_of_the_originals_weights_is_left) {
  const GivenStructure half = plan_of_half(net);
  const Outcome of_one = run("scratch-e", half, {}, 3);
  for (Value& value : net.values) {
    if (!value.constant || value.constant->dtype() != DType::f32) continue;
    for (float& x : value.constant->mutate<float>()) x *= 2;
  }
  const Outcome of_other = run("scratch-e", half, {}, 3);
  EXPECT_EQ(fake::bytes_of(of_one.graph), fake::bytes_of(of_other.graph));
  EXPECT_NE(fake::bytes_of(run("scratch-e", half, {}, 4).graph), fake::bytes_of(of_one.graph));
}

TEST_F(Scratch, matched_epochs_cost_what_the_dense_nets_do) {
  const Outcome outcome = run("scratch-b", plan_of_half(net));
  const double ratio = static_cast<double>(outcome.before.macs) / outcome.after.macs;
  EXPECT_EQ(fact(outcome, "scratch_epochs"), static_cast<int64_t>(2 * ratio));
  EXPECT_GT(fact(outcome, "scratch_epochs"), 2);
  EXPECT_EQ(std::ssize(fixture.opened->history()), fact(outcome, "scratch_epochs"));
  EXPECT_EQ(fixture.opened->stages()[0].facts, (Facts{{"cost_ratio", ratio}}));
  EXPECT_LE(fact(outcome, "training_macs"), fact(outcome, "dense_training_macs"));
  EXPECT_GT(fact(outcome, "training_macs") + outcome.after.macs * 30,
            fact(outcome, "dense_training_macs"))
      << "less by under one epoch";
}

TEST_F(Scratch, masks_hold_from_the_first_weights_on_and_lengthen_the_training) {
  const GivenStructure sparse = masks_of(net, 0.75);
  const Outcome outcome = run("scratch-b", sparse);
  for (const auto& [name, mask] : sparse.plan->masks) {
    const auto stays = mask.as<float>(), weights = tensor(outcome.graph, name).as<float>();
    for (size_t i = 0; i < weights.size(); ++i) ASSERT_EQ(weights[i] == 0, stays[i] == 0) << name;
  }
  EXPECT_NEAR(fixture.opened->stages()[0].facts[0].second, 4, 0.3);
  EXPECT_GE(fact(outcome, "scratch_epochs"), 7);
  EXPECT_EQ(outcome.plan.masks, sparse.plan->masks);
  EXPECT_TRUE(outcome.weights_after);
}

// He's fan-out rule for the second convolution, 64 filters of 3x3 and 64 channels.
TEST_F(Scratch, weights_are_drawn_by_the_fans_that_are_left) {
  net = parse_text_graph(R"(
      input x float32 [N, 1, 4, 4]
      const w1 float32 [64, 1, 3, 3] random
      const w2 float32 [64, 64, 3, 3] random
      const fw float32 [3, 64] random
      a = Conv(x, w1) {pads=[1, 1, 1, 1]}
      r = Relu(a)
      c = Conv(r, w2) {pads=[1, 1, 1, 1]}
      s = Relu(c)
      g = GlobalAveragePool(s)
      f = Flatten(g)
      y = Gemm(f, fw) {transB=1}
      output y)");
  fixture.watcher.stop_after_stages = 1;
  const auto variance = [&](const GivenStructure& structure) {
    fixture.watcher.stages.clear();
    EXPECT_THROW(run("scratch-e", structure), Error);
    double squares = 0, nonzero = 0;
    for (const float w : tensor(fixture.opened->graph(), "w2").as<float>()) {
      squares += static_cast<double>(w) * w;
      nonzero += w != 0;
    }
    return squares / nonzero;
  };
  EXPECT_NEAR(variance(plan_of_half(net)) * 9 * 32 / 2, 1, 0.06) << "the pruned width";
  EXPECT_NEAR(variance(masks_of(net, 0.75)) * 9 * 64 * 0.25 / 2, 1, 0.06) << "by its density";
}

TEST_F(Scratch, zeros_of_a_sparse_original_are_structure_and_stay_unless_freed) {
  apply_masks(net, magnitude_masks(net, {.sparsity = 0.5}));
  const GivenStructure nothing{.file = "plan.json", .plan = Plan{}};
  EXPECT_EQ(zeros_of(run("scratch-e", nothing).graph, "w1"), 18);
  EXPECT_EQ(zeros_of(run("scratch-e", nothing, {{"zeros", "free"}}).graph, "w1"), 0);
}

TEST_F(Scratch, shared_values_are_weights_and_go) {
  for (size_t i = 0; i < 36; ++i) {
    net.value(*find_value(net, "w1")).constant->mutate<float>()[i] = i % 2 == 0 ? 0.5f : -0.25f;
  }
  const Outcome outcome = run("scratch-e", {.file = "plan.json", .plan = Plan{}});
  EXPECT_GT(count_values(tensor(outcome.graph, "w1"), 100), 30);
}

constexpr char kOther[] = R"(
    input pixels float32 [N, 1, 4, 4]
    const v1 float32 [5, 1, 3, 3] random
    const v2 float32 [3, 5] random
    a = Conv(pixels, v1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    g = GlobalAveragePool(r)
    f = Flatten(g)
    scores = Gemm(f, v2) {transB=1}
    output scores)";

TEST_F(Scratch, another_models_graph_is_taken_as_it_is) {
  Graph other = parse_text_graph(kOther);
  const Outcome outcome = run("scratch-b", {.file = "other.onnx", .graph = other});
  EXPECT_EQ(tensor(outcome.graph, "v1").shape(), (Shape{5, 1, 3, 3}));
  EXPECT_NE(tensor(outcome.graph, "v1"), tensor(other, "v1"));
  EXPECT_EQ(outcome.unproved, "the structure is that of 'other.onnx' as it is");
  EXPECT_EQ(outcome.after.macs, 5 * 9 * 16 + 15);
  EXPECT_EQ(outcome.before.macs, 4 * 9 * 16 + 12 * 16 + 9);
}

TEST_F(Scratch, zeros_of_another_model_that_is_sparse_are_part_of_its_structure) {
  Graph other = parse_text_graph(kOther);
  apply_masks(other, magnitude_masks(other, {.sparsity = 0.5}));
  EXPECT_EQ(zeros_of(run("scratch-e", {.file = "o.onnx", .graph = other}).graph, "v1"), 22);
  EXPECT_EQ(
      zeros_of(run("scratch-e", {.file = "o.onnx", .graph = other}, {{"zeros", "free"}}).graph,
               "v1"),
      0);
}

TEST_F(Scratch, a_model_for_other_images_or_classes_is_no_structure) {
  const Graph other = parse_text_graph(R"(
      input x float32 [N, 1, 4, 4]
      const w float32 [7, 16] random
      f = Flatten(x)
      y = Gemm(f, w) {transB=1}
      output y)");
  const std::string message = fake::message_of(
      ErrorKind::input, [&] { run("scratch-e", {.file = "other.onnx", .graph = other}); });
  EXPECT_EQ(message,
            "'other.onnx': output 'y' of the structure is float32 2x7, 'y' of the model is "
            "float32 2x3; a structure needs the same ones");
}

TEST_F(Scratch, options_that_say_a_structure_twice_or_a_budget_half_are_refused) {
  const auto refused = [&](const Request& options) {
    return fake::message_of(ErrorKind::usage, [&] {
      run("scratch-b", {.file = "plan.json", .plan = Plan{}}, options);
    });
  };
  EXPECT_EQ(refused({{"keep-macs", "0.5"}}),
            "--structure says what is trained, found --keep-macs beside it; leave one of them out");
  EXPECT_NE(refused({{"scratch-budget", "strict"}}).find("add --rival-epochs N"),
            std::string::npos);
  EXPECT_NE(refused({{"rival-epochs", "3"}}).find("is for --scratch-budget strict"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
