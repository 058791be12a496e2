// Shapes of one sample that are told from those of two are those that inference gives.
#include "graph/views/one_sample.h"

#include <gtest/gtest.h>

#include "graph/passes/loosen.h"
#include "support/graphs/random_graph.h"
#include "support/graphs/text_graph.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

// Whether they are told at all.
bool told_as_inferred(const Graph& graph) {
  const auto told = shapes_of_one_sample(graph, infer(graph, {.inputs = {}, .batch = 2}), 2);
  if (!told) return false;
  const Inferred inferred = infer(graph, {.inputs = {}, .batch = 1});
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto id = static_cast<ValueId>(i);
    EXPECT_EQ(told->has(id), inferred.has(id)) << graph.values[i].name;
    if (!told->has(id) || !inferred.has(id)) continue;
    EXPECT_EQ(told->shape(id), inferred.shape(id)) << graph.values[i].name;
    if (told->known[i]) {
      EXPECT_EQ(told->known[i], inferred.known[i]) << graph.values[i].name;
    }
  }
  return true;
}

TEST(OneSample, shapes_are_those_that_inference_gives_on_random_graphs) {
  int told = 0;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed).build();
    told += told_as_inferred(graph);
    loosen(graph);
    told_as_inferred(graph);
  }
  EXPECT_GT(told, 100);
}

TEST(OneSample, shapes_of_zoo_models_are_told) {
  for (const ZooModel& model : zoo_models()) {
    SCOPED_TRACE(model.name);
    told_as_inferred(build_zoo_model(model.name, 1));
  }
  EXPECT_TRUE(told_as_inferred(build_zoo_model("resnet20", 1)));
}

TEST(OneSample, nothing_is_told_where_samples_may_stand_elsewhere) {
  const auto told = [](const std::string& text) {
    return told_as_inferred(parse_text_graph(text));
  };
  EXPECT_TRUE(told(R"(
      input x float32 [N, 2, 4]
      const w float32 [4, 6] random
      h = MatMul(x, w)
      t = Transpose(h) {perm=[0, 2, 1]}
      y = MatMul(h, t)
      output y)"));
  // Another axis first; a Gram matrix of samples; a row for each of two samples; a target that
  // spells two samples out.
  EXPECT_FALSE(told(R"(
      input x float32 [N, 2, 4]
      t = Transpose(x) {perm=[1, 0, 2]}
      y = Relu(t)
      output y)"));
  EXPECT_FALSE(told(R"(
      input x float32 [N, 4]
      t = Transpose(x) {perm=[1, 0]}
      y = MatMul(x, t)
      output y)"));
  EXPECT_FALSE(told(R"(
      input x float32 [N, 4]
      const b float32 [2, 4] random
      y = Add(x, b)
      output y)"));
  EXPECT_FALSE(told(R"(
      input x float32 [N, 2, 4]
      const i int64 [2] = 0 0
      y = Gather(x, i) {axis=0}
      output y)"));
  EXPECT_FALSE(told(R"(
      input x float32 [N, T, 4]
      y = Relu(x)
      output y)"));
}

}  // namespace
}  // namespace coppice
