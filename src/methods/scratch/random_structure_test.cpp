#include "methods/scratch/random_structure.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "methods/one_shot/one_shot.h"
#include "methods/scratch/given_structure.h"
#include "prune/scores/criterion.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

TEST(RandomStructure, every_group_is_as_wide_as_the_plan_has_it_but_keeps_other_units) {
  const Graph net = build_zoo_model("resnet20", 1);
  OneShotOptions options;
  options.budget = {Budget::Of::macs, 0.5};
  options.scope = Criterion::Scope::global;
  options.verify = Verify::off;
  const Outcome by_norm = prune_once(net, find_criterion("l2"), options);
  const Outcome twin = apply_plan(net, random_twin(net, by_norm.plan, 7), Verify::on, 7);
  ASSERT_EQ(twin.groups.size(), by_norm.groups.size());
  for (size_t g = 0; g < twin.groups.size(); ++g) {
    EXPECT_EQ(twin.groups[g].after, by_norm.groups[g].after) << twin.groups[g].name;
  }
  EXPECT_EQ(twin.after.macs, by_norm.after.macs);
  EXPECT_TRUE(twin.verified);
  EXPECT_NE(twin.plan.slices, by_norm.plan.slices);
  EXPECT_EQ(twin.plan.slices, random_twin(net, by_norm.plan, 7).slices);
  EXPECT_NE(twin.plan.slices, random_twin(net, by_norm.plan, 8).slices);
}

TEST(RandomStructure, every_layer_has_as_many_zeros_as_the_masks_but_elsewhere) {
  const Graph net = build_zoo_model("lenet300-100", 1);
  Plan plan;
  plan.masks = magnitude_masks(net, {.sparsity = 0.9});
  const Plan twin = random_twin(net, plan, 7);
  ASSERT_EQ(twin.masks.size(), plan.masks.size());
  for (const auto& [name, mask] : plan.masks) {
    EXPECT_EQ(nonzeros_of(twin.masks.at(name)), nonzeros_of(mask)) << name;
    EXPECT_NE(twin.masks.at(name), mask) << name;
  }
}

TEST(RandomStructure, a_plan_that_both_cuts_and_masks_is_refused) {
  const Graph net = parse_text_graph(fake::kNet);
  OneShotOptions options;
  options.budget = {Budget::Of::ratio, 0.5};
  options.round_to = 1;
  Plan plan = prune_once(net, find_criterion("l2"), options).plan;
  plan.masks = magnitude_masks(net, {.sparsity = 0.5});
  EXPECT_NE(fake::message_of(ErrorKind::input, [&] { random_twin(net, plan, 1); })
                .find("both cuts and masks"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
