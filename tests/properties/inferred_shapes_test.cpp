// The shapes and types that are inferred are those that ONNX Runtime computes: of every value of
// 500 random graphs, and the numbers of shape arithmetic with them.

#include <gtest/gtest.h>

#include "graph/infer.h"
#include "onnx/onnx.h"
#include "support/graphs/cut.h"
#include "support/graphs/random_graph.h"
#include "support/onnxruntime.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

constexpr uint64_t kGraphs = 500;
constexpr int64_t kBatch = 3;

// Every value of a node is an output, so that ONNX Runtime shows it.
Graph with_all_outputs(Graph graph, const Inferred& inferred) {
  graph.outputs.clear();
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      graph.value(id).dtype = inferred.types[static_cast<size_t>(id)]->dtype;
      graph.outputs.push_back(id);
    }
  }
  return graph;
}

TEST(InferredShapes, are_those_of_onnx_runtime) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const TempDir folder;
  int64_t values = 0, numbers = 0;
  for (uint64_t seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph built = RandomGraph(seed).build();
    const Inferred inferred = infer(built, {.inputs = {}, .batch = kBatch});
    const Graph graph = with_all_outputs(built, inferred);
    write_onnx(graph, folder / "model.onnx");
    Random random(seed);
    const auto found =
        judge->run(folder / "model.onnx", {{"x", random_inputs(graph, kBatch, random)[0]}});
    ASSERT_EQ(found.size(), graph.outputs.size());
    for (size_t i = 0; i < found.size(); ++i) {
      const ValueId id = graph.outputs[i];
      ASSERT_TRUE(inferred.has(id)) << found[i].name;
      ASSERT_EQ(inferred.shape(id), found[i].tensor.shape()) << found[i].name;
      ASSERT_EQ(inferred.types[static_cast<size_t>(id)]->dtype, found[i].tensor.dtype())
          << found[i].name;
      ++values;
      const Tensor* known = known_value(graph, inferred, id);
      if (!known || known->dtype() != DType::i64) continue;
      ASSERT_EQ(*known, found[i].tensor) << found[i].name;
      ++numbers;
    }
  }
  EXPECT_GT(values, 5000);
  EXPECT_GT(numbers, 100);
}

}  // namespace
}  // namespace coppice
