// The structures of Li et al., ICLR 2017, as Liu et al., ICLR 2019 ("Rethinking"), train them from
// scratch: what they save, and for how many epochs as much can be trained as the dense net needs
// for 160. Their code keeps floor(N (1 - p)) of N filters of a layer, so shares here say how many
// leave.
#include <gtest/gtest.h>

#include <cmath>

#include "graph/views/operations.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

struct Published {
  const char* name;
  const char* net;
  std::vector<const char*> ratios;  // of --layer-ratio
  double removed;                   // of the multiply-accumulates, in %
  int64_t dense, flops;             // by the released script
  int64_t epochs;                   // of scratch-B
  // What the script doesn't see of the nets: BatchNormalization of 512 values, and the last pool,
  // which is a function there (2x2 of every channel).
  int64_t unseen_dense = 0, unseen = 0;
};

const Published kPublished[] = {
    {"vgg16_a",
     "vgg16-bn",
     {R"(^features\.(0|24|27|30|34|37|40)$=0.5)"},
     34.19,
     627'880'970,
     413'364'234,
     243,
     2 * 512 + 4 * 512,
     2 * 512 + 4 * 256},
    {"resnet56_a",
     "resnet56",
     {R"(layer[12]\.\d+\.conv1$=0.125)", R"(layer3\.\d+\.conv1$=0.109375)",
      R"(layer1\.7\.conv1$|layer2\.0\.conv1$|layer3\.[08]\.conv1$=0)"},
     10.40,
     252'572'938,
     226'390'090,
     178},
    {"resnet56_b",
     "resnet56",
     {R"(layer1\.\d+\.conv1$=0.625)", R"(layer2\.\d+\.conv1$=0.3125)",
      R"(layer3\.\d+\.conv1$=0.109375)",
      R"(layer1\.[78]\.conv1$|layer2\.[07]\.conv1$|layer3\.[08]\.conv1$=0)"},
     27.56,
     252'572'938,
     183'137'866,
     220},
    {"resnet110_a",
     "resnet110",
     {R"(layer1\.\d+\.conv1$=0.5)", R"(layer1\.17\.conv1$=0)"},
     15.86,
     508'925'194,
     428'291'338,
     190},
    {"resnet110_b",
     "resnet110",
     {R"(layer1\.\d+\.conv1$=0.5)", R"(layer2\.\d+\.conv1$=0.40625)",
      R"(layer3\.\d+\.conv1$=0.3125)",
      R"(layer1\.17\.conv1$|layer2\.0\.conv1$|layer3\.0\.conv1$=0)"},
     38.66,
     508'925'194,
     312'745'738,
     260}};

Outcome cut(const Published& published, const Graph& net) {
  const Method& method = find_method("l1");
  Settings settings(options_of(method));
  for (const char* ratio : published.ratios) settings.set(kLayerRatio, ratio);
  settings.set(kVerify, "off");
  method.settle(settings);
  return method.prune(net, {.settings = settings});
}

Operations counted(const Graph& graph) {
  return operations_of(graph, infer(graph, fitting_sizes(graph, {})));
}

int64_t scratch_b(int64_t dense, int64_t pruned) {
  return static_cast<int64_t>(160 * (static_cast<double>(dense) / static_cast<double>(pruned)));
}

class PublishedStructure : public testing::TestWithParam<Published> {};

TEST_P(PublishedStructure, saves_the_published_share_and_is_trained_for_the_published_epochs) {
  const Published& published = GetParam();
  const Graph net = build_zoo_model(published.net, 1);
  const Outcome outcome = cut(published, net);
  const double removed = 100 * (1 - static_cast<double>(outcome.after.macs) /
                                        static_cast<double>(outcome.before.macs));
  EXPECT_NEAR(removed, published.removed, 0.005);
  const Operations dense = counted(net), pruned = counted(outcome.graph);
  EXPECT_EQ(dense.flops, published.dense + published.unseen_dense);
  EXPECT_EQ(pruned.flops, published.flops + published.unseen);
  EXPECT_EQ(scratch_b(dense.flops, pruned.flops), published.epochs);
  EXPECT_EQ(scratch_b(dense.macs, pruned.macs), published.epochs) << "by MACs, too";
}

INSTANTIATE_TEST_SUITE_P(, PublishedStructure, testing::ValuesIn(kPublished),
                         [](const auto& net) { return std::string(net.param.name); });

}  // namespace
}  // namespace coppice
