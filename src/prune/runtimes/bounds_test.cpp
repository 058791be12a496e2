#include "prune/runtimes/bounds.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

TEST(Bounds, are_kept_by_relus_whichever_there_are) {
  for (const char* bounds :
       {"zero, six", "low, six", "low", "-, six", "zero", "-, zero", "low, zero"}) {
    SCOPED_TRACE(bounds);
    Graph graph = parse_text_graph(std::string(R"(
        input x float32 [N, 3, 4, 4]
        const w float32 [2, 3, 1, 1] random
        const zero float32 [] = 0
        const six float32 [] = 0.6
        const low float32 [] = -0.5
        c = Conv(x, w)
        y = Clip(c, )") + bounds + ")\noutput y");
    const Graph original = graph;
    EXPECT_EQ(clips_to_relus(graph), 1);
    EXPECT_TRUE(
        std::ranges::none_of(graph.nodes, [](const Node& node) { return node.op_type == "Clip"; }));
    Tensor x = Tensor::zeros(DType::f32, {2, 3, 4, 4});
    Random(1).fill_uniform(x.mutate<float>(), -2, 2);
    const Tensor expected = run_reference(original, {&x, 1})[0],
                 found = run_reference(graph, {&x, 1})[0];
    for (int64_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(found.as<float>()[i], expected.as<float>()[i], 1e-6);
    }
  }
}

TEST(Bounds, that_are_not_constant_or_not_there_are_left_alone) {
  Graph graph = parse_text_graph(R"(
      input x float32 [N, 4]
      input bound float32 []
      a = Clip(x)
      y = Clip(a, -, bound)
      output y)");
  EXPECT_EQ(clips_to_relus(graph), 0);
  EXPECT_EQ(graph.nodes.size(), 2u);
}

}  // namespace
}  // namespace coppice
