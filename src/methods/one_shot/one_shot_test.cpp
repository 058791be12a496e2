// One-shot pruning from end to end: every method on real architectures, proved; plans replayed.

#include "methods/one_shot/one_shot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "evidence/collector.h"
#include "graph/fitted.h"
#include "methods/unstructured/magnitude.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

std::string written(const Graph& graph) {
  std::string bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

OneShotOptions half_the_macs() {
  OneShotOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  return options;
}

// Of eight random images of two classes.
Evidence of_random_images(const Graph& graph, std::span<const EvidenceRequest> requests) {
  constexpr int64_t kImages = 8;
  Tensor images = Tensor::zeros(DType::f32, {kImages, 3, 32, 32});
  Random(5).fill_normal(images.mutate<float>(), 1);
  std::vector<EvidenceRequest> of_values;
  Evidence evidence;
  for (const EvidenceRequest& request : requests) {
    if (request.reduction != Reduction::labels) {
      of_values.push_back(request);
      continue;
    }
    evidence.add(request, Tensor::of<double>({kImages}, {0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0}));
  }
  Collector collector(graph, of_values);
  compile(graph, {.inputs = {}, .batch = kImages}, {.threads = 1}, collector.observation())
      .run(std::vector<Tensor>{images});
  evidence.add(collector.finish());
  return evidence;
}

TEST(Methods, every_criterion_meets_the_budget_and_proves_its_cut) {
  const Graph graph = build_zoo_model("resnet20", 1);
  for (const Criterion& method : criteria()) {
    SCOPED_TRACE(method.name);
    if (method.name == std::string("bn-scale")) continue;  // fresh scales are all equal, see below
    if (method.answered == Criterion::Answered::by_training) continue;
    OneShotOptions options = half_the_macs();
    options.of_criterion = Settings(method.options);
    options.measure = of_random_images;
    const Outcome outcome = prune_once(graph, method, options);
    EXPECT_LE(outcome.after.macs * 2, outcome.before.macs);
    ASSERT_TRUE(outcome.proof);
    EXPECT_TRUE(outcome.proof->comparison.equal());
    EXPECT_GT(outcome.proof->comparison.reaction, 0);
    EXPECT_EQ(outcome.plan.method, method.name);
    EXPECT_EQ(costs_of(outcome.graph, infer(outcome.graph)).macs, outcome.after.macs);
  }
}

TEST(Methods, shapes_are_inferred_once_for_each_size_at_which_they_are_needed) {
  const Graph open = build_zoo_model("resnet20", 1);
  Graph fixed = open;
  fixed.value(fixed.inputs[0]).declared->front() = {4, ""};
  const auto inferences_of = [](const Graph& graph, Verify verify) {
    OneShotOptions options = half_the_macs();
    options.verify = verify;
    const int64_t before = inferences();
    prune_once(graph, find_criterion("l2"), options);
    return inferences() - before;
  };
  // For the groups, which tell the costs as well; for the proof, of either model.
  for (const Graph& graph : {open, fixed}) {
    EXPECT_EQ(inferences_of(graph, Verify::off), 1);
    EXPECT_EQ(inferences_of(graph, Verify::on), 3);
  }
}

TEST(Methods, says_how_far_zeroed_filters_alone_are_from_the_cut) {
  const auto found = [](const std::string& shift, const RecoverOptions& recover) {
    const Graph graph = parse_text_graph(R"(
        input x float32 [N, 1, 6, 6]
        const w float32 [4, 1, 3, 3] random
        const s float32 [4] positive
        const b float32 [4] )" + shift + R"(
        const m float32 [4] zeros
        const v float32 [4] positive
        const p float32 [2, 4, 1, 1] positive
        a = Conv(x, w)
        n = BatchNormalization(a, s, b, m, v)
        y = Conv(n, p)
        output y)");
    OneShotOptions options;
    options.budget = {Budget::Of::ratio, 0.5};
    options.round_to = 1;
    options.recover = recover;
    return prune_once(graph, find_criterion("l2"), options).zeroed_filters.value();
  };
  EXPECT_LE(found("zeros", {}).share, kProofTolerance);
  EXPECT_GT(found("positive", {}).difference, 0.01);
  EXPECT_GT(found("positive", {}).share, 0.001);
  EXPECT_LE(found("positive", {.bias = true}).share, kProofTolerance)
      << "constants of linear channels are folded exactly";
}

TEST(Methods, a_global_rank_takes_channels_of_residual_streams_too) {
  const Graph graph = build_zoo_model("resnet56", 1);
  for (const char* name : {"l1", "l2", "fpgm"}) {
    SCOPED_TRACE(name);
    OneShotOptions options;
    options.budget = {Budget::Of::ratio, 0.7};
    options.scope = Criterion::Scope::global;
    options.round_to = 1;
    const Criterion& method = find_criterion(name);
    const Traced traced(prepared(graph, method, options));
    const Allocation chosen = choose(traced, method, options);
    const std::vector<char> spine = spine_groups(traced.graph(), traced.groups());
    ASSERT_EQ(std::ranges::count(spine, 1), 3);
    int64_t streams_lost = 0, streams = 0;
    for (size_t g = 0; g < spine.size(); ++g) {
      if (!spine[g]) continue;
      const Group& group = traced.groups().free[g];
      const auto first = chosen.removal.begin() + group.first_unit;
      streams_lost += std::count(first, first + group.units(), 1);
      streams += group.units();
    }
    // 0.3 of all; without the spread none of a stream's 19 layers' means would be the least.
    EXPECT_GT(static_cast<double>(streams_lost) / static_cast<double>(streams), 0.15);
  }
}

TEST(Methods, bn_scale_ranks_the_whole_network) {
  Graph graph = build_zoo_model("vgg16-bn", 1);
  uint64_t seed = 0;
  for (Value& value : graph.values) {
    const bool scale =
        value.constant && value.constant->rank() == 1 && value.name.ends_with(".weight");
    if (scale) Random(++seed).fill_uniform(value.constant->mutate<float>(), 0, 1);
  }
  const Outcome outcome = prune_once(graph, find_criterion("bn-scale"), half_the_macs());
  EXPECT_LE(outcome.after.macs * 2, outcome.before.macs);
  EXPECT_TRUE(outcome.proof->comparison.equal());
}

TEST(Methods, a_plan_replayed_gives_the_same_bytes) {
  const Graph graph = build_zoo_model("mobilenetv2", 1);
  OneShotOptions options = half_the_macs();
  const Outcome cut = prune_once(graph, find_criterion("l1"), options);
  const Outcome again = apply_plan(graph, plan_from_json(to_json(cut.plan)), Verify::on, 0);
  EXPECT_EQ(written(cut.graph), written(again.graph));
  EXPECT_EQ(cut.plan, again.plan);
  EXPECT_EQ(cut.after.macs, again.after.macs);
  EXPECT_EQ(cut.before.parameters, again.before.parameters);
  EXPECT_TRUE(again.proof->comparison.equal());
}

TEST(Methods, the_same_seed_gives_the_same_bytes) {
  const Graph graph = build_zoo_model("lenet5", 1);
  OneShotOptions options = half_the_macs();
  const Criterion& random = find_criterion("random");
  const std::string once = written(prune_once(graph, random, options).graph);
  EXPECT_EQ(once, written(prune_once(graph, random, options).graph));
  options.seed = 1;
  EXPECT_NE(once, written(prune_once(graph, random, options).graph));
}

TEST(Methods, the_original_stays_as_it_was) {
  const Graph graph = build_zoo_model("lenet5", 1);
  const std::string before = written(graph);
  prune_once(graph, find_criterion("l2"), half_the_macs());
  EXPECT_EQ(written(graph), before);
}

TEST(Methods, layers_to_keep_and_the_spine_stay_whole) {
  const Graph graph = build_zoo_model("resnet20", 1);
  OneShotOptions options;
  options.budget = {Budget::Of::ratio, 0.5};
  options.round_to = 1;
  options.spine = OneShotOptions::Spine::keep;
  options.keep = {"layer2"};
  int64_t cut = 0, whole = 0;
  for (const GroupCut& group : prune_once(graph, find_criterion("l2"), options).groups) {
    const bool kept = group.before == group.after;
    (kept ? whole : cut) += 1;
    EXPECT_TRUE(kept || group.name.find("layer2") == std::string::npos) << group.name;
    EXPECT_TRUE(kept || group.after * 2 == group.before) << group.name;
  }
  EXPECT_EQ(cut, 6);        // the first convolutions of layer1's and layer3's blocks
  EXPECT_EQ(whole, 3 + 3);  // three stages, and layer2's first convolutions
}

TEST(Methods, without_verification_there_is_no_proof) {
  OneShotOptions options = half_the_macs();
  options.verify = Verify::off;
  EXPECT_FALSE(prune_once(build_zoo_model("lenet5", 1), find_criterion("l1"), options).proof);
}

TEST(Methods, a_model_with_a_nan_is_refused_before_anything_is_decided) {
  Graph graph = build_zoo_model("lenet5", 1);
  for (Value& value : graph.values) {
    if (value.constant && value.constant->rank() == 4) {
      value.constant->mutate<float>()[3] = NAN;
      break;
    }
  }
  try {
    prune_once(graph, find_criterion("l1"), half_the_macs());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("a NaN at element 3"), std::string::npos);
  }
}

Outcome nine_of_ten_weights_gone(const Graph& graph) {
  return prune_by_magnitude(graph, {.sparsity = 0.9}, Verify::on);
}

TEST(Magnitude, zeroes_its_share_of_the_weights_and_changes_nothing_else) {
  const Graph graph = build_zoo_model("resnet20", 1);
  const Outcome outcome = nine_of_ten_weights_gone(graph);
  EXPECT_TRUE(outcome.verified);
  EXPECT_EQ(outcome.before.parameters, outcome.after.parameters);
  EXPECT_EQ(outcome.before.macs, outcome.after.macs);
  ASSERT_TRUE(outcome.weights_before && outcome.weights_after);
  EXPECT_EQ(outcome.weights_before->nonzero, outcome.weights_before->all);
  EXPECT_NEAR(outcome.weights_after->nonzero, 0.1 * outcome.weights_after->all, 20);
  EXPECT_EQ(outcome.plan.method, "magnitude");
  EXPECT_EQ(onnx_bytes(outcome.graph), onnx_bytes(graph));
  EXPECT_EQ(count_weights(graph), *outcome.weights_before) << "the original stays as it was";
}

TEST(Magnitude, its_plan_replayed_gives_the_same_bytes) {
  const Graph graph = build_zoo_model("lenet5", 1);
  const Outcome masked = nine_of_ten_weights_gone(graph);
  const Outcome again = apply_plan(graph, masked.plan, Verify::on, 0);
  EXPECT_TRUE(again.verified);
  EXPECT_EQ(written(masked.graph), written(again.graph));
  EXPECT_EQ(masked.plan, again.plan);
}

TEST(Magnitude, a_plan_with_masks_and_slices_masks_first_and_then_cuts) {
  const Graph graph = build_zoo_model("lenet5", 1);
  const Outcome masked = nine_of_ten_weights_gone(graph);
  Plan both = prune_once(graph, find_criterion("l2"), half_the_macs()).plan;
  both.masks = masked.plan.masks;
  const Outcome outcome = apply_plan(graph, both, Verify::on, 0);
  EXPECT_TRUE(outcome.verified);
  EXPECT_EQ(outcome.plan, both);
  EXPECT_LT(outcome.weights_after->all, outcome.weights_before->all);
  EXPECT_LT(outcome.weights_after->nonzero, outcome.weights_after->all / 2);
  Plan cut = both;
  cut.masks.clear();
  EXPECT_EQ(written(apply_plan(masked.graph, cut, Verify::on, 0).graph), written(outcome.graph));
}

TEST(Magnitude, without_verification_it_claims_nothing) {
  EXPECT_FALSE(
      prune_by_magnitude(build_zoo_model("lenet5", 1), {.sparsity = 0.5}, Verify::off).verified);
}

}  // namespace
}  // namespace coppice
