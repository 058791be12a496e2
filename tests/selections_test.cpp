// Channel selections from end to end: which normalisations get one, what its units own, and that
// cutting them equals masking the original model, in ONNX Runtime and in our own runtime.

#include <gtest/gtest.h>

#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "prune/budget/allocate.h"
#include "prune/plan/plan.h"
#include "runtime/executable.h"
#include "support/graphs/judged_cut.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// A residual stream `s` that a normalisation reads beside the addition, and one over the sum.
constexpr char kPreActivation[] = R"(
    input x float32 [N, 3, 6, 6]
    const w0 float32 [6, 3, 1, 1] random
    const g1 float32 [6] random
    const b1 float32 [6] random
    const m1 float32 [6] random
    const v1 float32 [6] positive
    const w1 float32 [5, 6, 3, 3] random
    const g2 float32 [5] random
    const b2 float32 [5] random
    const m2 float32 [5] random
    const v2 float32 [5] positive
    const w2 float32 [6, 5, 1, 1] random
    const g3 float32 [6] random
    const b3 float32 [6] random
    const m3 float32 [6] random
    const v3 float32 [6] positive
    const w3 float32 [2, 6, 1, 1] random
    s = Conv(x, w0)
    n1 = BatchNormalization(s, g1, b1, m1, v1)
    r1 = Relu(n1)
    c1 = Conv(r1, w1) {pads=[1, 1, 1, 1]}
    n2 = BatchNormalization(c1, g2, b2, m2, v2)
    c2 = Conv(n2, w2)
    sum = Add(s, c2)
    n3 = BatchNormalization(sum, g3, b3, m3, v3)
    y = Conv(n3, w3)
    output y)";

Graph selected(Graph graph) {
  add_selections(graph);
  return graph;
}

std::vector<std::string> gathers_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    if (node.op_type == "Gather") names.push_back(graph.value(node.outputs[0]).name);
  }
  return names;
}

// By unit: whether it leaves a selection and not the stream before it.
std::vector<char> units_of_selections(const Graph& graph, const Groups& groups) {
  std::vector<char> own(groups.unit_count, 0);
  const auto mark = [&](ValueId value, char is_own) {
    const int32_t pooled = groups.axes[value][1];
    if (pooled < 0) return;
    for (const int32_t unit : groups.axis_pool[pooled].units) own[unit] = is_own;
  };
  for (const Node& node : graph.nodes) {
    if (is_selection(node)) mark(node.outputs[0], 1);
  }
  for (const Node& node : graph.nodes) {
    if (is_selection(node)) mark(node.inputs[0], 0);
  }
  return own;
}

enum class Leaving { selections, all };

Removal removal_of_share(const Graph& graph, const Groups& groups, Leaving leaving, double share,
                         Random& random) {
  const std::vector<char> own = units_of_selections(graph, groups);
  Removal removal = random_removal(groups, share, random);
  for (int32_t u = 0; u < groups.unit_count; ++u) {
    if (leaving == Leaving::selections && !own[u]) removal[u] = 0;
  }
  return removal;
}

// Vectors as training leaves them: no two alike, and none the identity's.
void randomise_norms(Graph& graph, uint64_t seed) {
  Random random(seed);
  for (const Node& node : graph.nodes) {
    if (node.op_type != "BatchNormalization") continue;
    for (int i = 1; i <= 4; ++i) {
      const auto vector = graph.value(node.inputs[i]).constant->mutate<float>();
      random.fill_uniform(vector, i == 4 ? 0.5f : -1.0f, 1.5f);
    }
  }
}

// What a reader of the plan would do: everything but `keep` becomes the neutral value.
void zero_slices(Graph& graph, const Plan& plan) {
  for (const PlanSlice& slice : plan.slices) {
    ASSERT_FALSE(slice.use);
    std::vector<int64_t> dead;
    for (int64_t i = 0; i < slice.size; ++i) {
      if (!std::ranges::binary_search(slice.keep, i)) dead.push_back(i);
    }
    const auto id = find_value(graph, slice.tensor);
    ASSERT_TRUE(id) << slice.tensor;
    fill_slices(*graph.value(*id).constant, slice.axis, dead, slice.fill);
  }
}

struct Cut {
  Graph graph;
  Plan plan;
};

Cut cut_of(const Graph& graph, const Groups& groups, const Removal& removal) {
  Cut cut{graph, plan_of(graph, groups, removal)};
  remove_units(cut.graph, groups, removal);
  settle_selections(cut.graph);
  return cut;
}

// Both in ONNX Runtime, and the cut one in ours.
void expect_equal_outputs(OnnxRuntime& judge, const Graph& masked, const Graph& cut,
                          Random& random) {
  const TempDir folder;
  write_onnx(masked, folder / "masked.onnx");
  write_onnx(cut, folder / "cut.onnx");
  const std::vector<Tensor> inputs = random_inputs(masked, 2, random);
  const std::vector<NamedTensor> named{{masked.value(masked.inputs[0]).name, inputs[0]}};
  const auto expected = judge.run(folder / "masked.onnx", named);
  const auto found = judge.run(folder / "cut.onnx", named);
  Executable ours = compile(cut, {.inputs = {}, .batch = 2});
  EXPECT_LT(difference(expected[0].tensor, found[0].tensor), kCutTolerance);
  EXPECT_LT(difference(expected[0].tensor, ours.run(inputs)[0]), kCutTolerance) << "our runtime";
}

TEST(Selections, stand_before_every_normalisation_of_a_stream) {
  EXPECT_EQ(gathers_of(selected(build_zoo_model("preresnet20", 1))).size(), 10u);
  EXPECT_EQ(gathers_of(selected(build_zoo_model("densenet40", 1))).size(), 39u);
}

TEST(Selections, nets_that_normalise_what_a_layer_gives_get_none) {
  for (const char* name : {"resnet20", "vgg16-bn", "vgg19-bn", "mlp500-300-bn", "mobilenetv2"}) {
    EXPECT_EQ(gathers_of(selected(build_zoo_model(name, 1))), std::vector<std::string>{}) << name;
  }
}

TEST(Selections, have_units_of_their_own_and_the_stream_takes_them_along) {
  EXPECT_EQ(groups_of(selected(parse_text_graph(kPreActivation))),
            "6: w0.0 w2.0 g1.0 b1.0 m1.0 v1.0 w1.1 g3.0 b3.0 m3.0 v3.0 w3.1\n"
            "6: g1.0 b1.0 m1.0 v1.0 w1.1\n"
            "5: w1.0 g2.0 b2.0 m2.0 v2.0 w2.1\n"
            "6: g3.0 b3.0 m3.0 v3.0 w3.1\n");
  expect_cut_equals_mask(selected(parse_text_graph(kPreActivation)));
}

TEST(Selections, of_the_models_input_have_free_units_though_the_input_is_pinned) {
  expect_cut_equals_mask(selected(parse_text_graph(R"(
    input x float32 [N, 6, 4, 4]
    const g float32 [6] random
    const b float32 [6] random
    const m float32 [6] random
    const v float32 [6] positive
    const w float32 [2, 6, 1, 1] random
    const u float32 [2, 6, 1, 1] random
    r = Relu(x)
    n = BatchNormalization(r, g, b, m, v)
    a = Conv(n, w)
    c = Conv(r, u)
    y = Add(a, c)
    output y)")));
}

// The selection's tag can't be told from the stream's where both meet again, so it is pinned.
TEST(Selections, that_flow_back_into_the_stream_stay_whole) {
  const Graph graph = selected(parse_text_graph(R"(
    input x float32 [N, 3, 4, 4]
    const w0 float32 [6, 3, 1, 1] random
    const g float32 [6] random
    const b float32 [6] random
    const m float32 [6] random
    const v float32 [6] positive
    const w1 float32 [2, 6, 1, 1] random
    s = Conv(x, w0)
    n = BatchNormalization(s, g, b, m, v)
    sum = Add(s, n)
    y = Conv(sum, w1)
    output y)"));
  EXPECT_EQ(groups_of(graph), "6: w0.0 g.0 b.0 m.0 v.0 w1.1\n");
  expect_cut_equals_mask(graph);
}

TEST(Selections, whose_streams_meet_in_an_addition_are_tied_to_each_other) {
  const Graph graph = selected(parse_text_graph(R"(
    input x float32 [N, 3, 4, 4]
    const w0 float32 [6, 3, 1, 1] random
    const g1 float32 [6] random
    const b1 float32 [6] random
    const m1 float32 [6] random
    const v1 float32 [6] positive
    const g2 float32 [6] random
    const b2 float32 [6] random
    const m2 float32 [6] random
    const v2 float32 [6] positive
    const w1 float32 [2, 6, 1, 1] random
    s = Conv(x, w0)
    n1 = BatchNormalization(s, g1, b1, m1, v1)
    n2 = BatchNormalization(s, g2, b2, m2, v2)
    t = Tanh(n2)
    sum = Add(n1, t)
    y = Conv(sum, w1)
    output y)"));
  EXPECT_EQ(groups_of(graph),
            "6: w0.0 g1.0 b1.0 m1.0 v1.0 g2.0 b2.0 m2.0 v2.0 w1.1\n"
            "6: g1.0 b1.0 m1.0 v1.0 g2.0 b2.0 m2.0 v2.0 w1.1\n");
  expect_cut_equals_mask(graph);
}

TEST(Selections, that_reach_an_output_are_pinned) {
  const Graph graph = selected(parse_text_graph(R"(
    input x float32 [N, 3, 4, 4]
    const w0 float32 [6, 3, 1, 1] random
    const g float32 [6] random
    const b float32 [6] random
    const m float32 [6] random
    const v float32 [6] positive
    const w1 float32 [2, 6, 1, 1] random
    s = Conv(x, w0)
    y = BatchNormalization(s, g, b, m, v)
    z = Conv(s, w1)
    output y z)"));
  EXPECT_EQ(gathers_of(graph).size(), 1u);
  EXPECT_EQ(find_groups(graph).unit_count, 0);
}

TEST(Selections, become_ordinary_gathers_of_what_stays) {
  const Graph graph = selected(parse_text_graph(kPreActivation));
  const Groups groups = find_groups(graph);
  Removal removal(groups.unit_count, 0);
  // Of the stream 1, and of the first selection 0, 3 and (with the stream) 1.
  removal[groups.free[0].first_unit + 1] = 1;
  for (const int u : {0, 1, 3}) removal[groups.free[1].first_unit + u] = 1;
  const Graph cut = cut_of(graph, groups, removal).graph;
  ASSERT_EQ(gathers_of(cut), std::vector<std::string>{"n1_selection"});
  const auto gather = std::ranges::find(cut.nodes, "Gather", &Node::op_type);
  EXPECT_FALSE(is_selection(*gather));
  EXPECT_EQ(to_int64s(*cut.value(gather->inputs[1]).constant), (std::vector<int64_t>{1, 3, 4}));
}

TEST(Selections, of_a_second_cut_become_one_with_those_of_the_first) {
  Graph graph = parse_text_graph(kPreActivation);
  const auto cut_first_unit_of = [&](const std::string& name) {
    graph = selected(graph);
    const Groups groups = find_groups(graph);
    const auto group = std::ranges::find(groups.free, name, &Group::name);
    ASSERT_NE(group, groups.free.end());
    Removal removal(groups.unit_count, 0);
    removal[group->first_unit] = 1;
    graph = cut_of(graph, groups, removal).graph;
  };
  const auto first_selection = [&] {
    const auto gather = std::ranges::find(graph.nodes, "Gather", &Node::op_type);
    return to_int64s(*graph.value(gather->inputs[1]).constant);
  };
  cut_first_unit_of("g1");
  cut_first_unit_of("g1");
  ASSERT_EQ(gathers_of(graph), std::vector<std::string>{"n1_selection"});
  EXPECT_EQ(first_selection(), (std::vector<int64_t>{2, 3, 4, 5}));
  cut_first_unit_of("w0");
  ASSERT_EQ(gathers_of(graph), std::vector<std::string>{"n1_selection"});
  EXPECT_EQ(first_selection(), (std::vector<int64_t>{1, 2, 3, 4}));
  cut_first_unit_of("w0");
  EXPECT_EQ(gathers_of(graph), std::vector<std::string>{}) << "only those are left of the stream";
}

class SelectionsOf : public testing::TestWithParam<const char*> {};

TEST_P(SelectionsOf, a_net_of_the_zoo_cut_as_the_masked_original_computes_cut_after_cut) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  Graph net = build_zoo_model(GetParam(), 1);
  randomise_norms(net, 2);
  Random random(3);
  for (const Leaving leaving : {Leaving::selections, Leaving::all}) {
    for (const double share : {0.1, 0.5, 0.9}) {
      SCOPED_TRACE(share);
      Graph original = net;
      for (int pass = 0; pass < (share == 0.5 ? 2 : 1); ++pass) {
        const Graph graph = selected(original);
        const Groups groups = find_groups(graph);
        const Removal removal = removal_of_share(graph, groups, leaving, share, random);
        ASSERT_GT(std::ranges::count(removal, 1), 0);
        const Cut cut = cut_of(graph, groups, removal);
        Graph masked = original;
        zero_slices(masked, cut.plan);
        expect_equal_outputs(*judge, masked, cut.graph, random);
        EXPECT_LE(gathers_of(cut.graph).size(), gathers_of(selected(net)).size());
        original = cut.graph;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, SelectionsOf, testing::Values("preresnet20", "densenet40"),
                         [](const auto& net) { return std::string(net.param); });

}  // namespace
}  // namespace coppice
