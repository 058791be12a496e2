// What we write is a valid file: ONNX's own checker, with full shape inference and types checked,
// accepts every result of a model that it accepts. Files as exporters write them: with the shapes
// of all values, and of old versions, where initialisers are listed as inputs.

#include <gtest/gtest.h>

#include "core/attempt.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/simplify/simplify.h"
#include "methods/one_shot/one_shot.h"
#include "onnx/onnx.h"
#include "support/graphs/random_graph.h"
#include "support/graphs/text_graph.h"
#include "support/onnx_checker.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

// Shapes of all values, as an exporter notes them: what depends on the batch stays open.
void note_shapes(Graph& graph) {
  const Inferred two = infer(graph, {.inputs = {}, .batch = 2});
  const Inferred three = infer(graph, {.inputs = {}, .batch = 3});
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id == kNoValue || !two.has(id) || !three.has(id) || graph.value(id).constant) continue;
      const Shape &a = two.shape(id), &b = three.shape(id);
      if (a.size() != b.size()) continue;
      Dims dims(a.size());
      for (size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i]) dims[i].size = a[i];
      }
      graph.value(id).declared = dims;
      graph.value(id).dtype = two.types[id]->dtype;
      const bool output = std::ranges::find(graph.outputs, id) != graph.outputs.end();
      if (!output) graph.foreign.value_infos.push_back(id);
    }
  }
}

// As files of IR 3 have it.
void list_initialisers(Graph& graph) {
  graph.foreign.model = std::string("\x08\x03\x42\x02\x10", 5) + static_cast<char>(graph.opset);
  graph.foreign.listed_inputs = graph.inputs;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant) {
      graph.foreign.listed_inputs.push_back(static_cast<ValueId>(i));
      graph.foreign.initialisers.push_back(static_cast<ValueId>(i));
    }
  }
}

OneShotOptions third_of_channels() {
  OneShotOptions options;
  options.budget = {.of = Budget::Of::ratio, .kept = 0.66};
  options.round_to = 1;
  options.verify = Verify::off;
  return options;
}

// Models and what came of them, judged together at the end: one start of the checker for all.
class Results {
 public:
  void add(const std::string& name, const Graph& original) {
    const size_t before = write(name, original);
    const auto cut_by = [&](const char* method) {
      return attempt(ErrorKind::target, [&] {
        return prune_once(original, find_criterion(method), third_of_channels()).graph;
      });
    };
    for (const char* method : {"l2", "bn-scale"}) {
      std::optional<Graph> cut = cut_by(method);
      if (!cut) continue;
      ++cuts_;
      judge(name + " cut by " + method, *cut, before);
      simplify(*cut);
      judge(name + " cut and simplified", *cut, before);
      fuse_batch_norms(*cut);
      judge(name + " cut, simplified and folded", *cut, before);
    }
  }

  void expect_valid(size_t least_cuts) {
    const std::vector<std::string> verdicts = check_models(paths_);
    size_t judged = 0;
    for (const auto& [result, original] : pairs_) {
      if (verdicts[original] != "ok") continue;
      ++judged;
      EXPECT_EQ(verdicts[result], "ok") << names_[result];
    }
    for (size_t i = 0; i < names_.size(); ++i) {
      if (verdicts[i] != "ok" &&
          std::ranges::none_of(pairs_, [&](const auto& pair) { return pair.first == i; })) {
        ::testing::Test::RecordProperty("refused as it came: " + names_[i], verdicts[i]);
      }
    }
    EXPECT_GE(cuts_, least_cuts);
    EXPECT_GE(judged, 3 * least_cuts);
  }

 private:
  size_t write(const std::string& name, const Graph& graph) {
    paths_.push_back(dir_ / (std::to_string(paths_.size()) + ".onnx"));
    names_.push_back(name);
    write_onnx(graph, paths_.back());
    return paths_.size() - 1;
  }
  void judge(const std::string& name, const Graph& graph, size_t original) {
    pairs_.emplace_back(write(name, graph), original);
  }

  TempDir dir_;
  std::vector<std::filesystem::path> paths_;
  std::vector<std::string> names_;
  std::vector<std::pair<size_t, size_t>> pairs_;  // result, original
  size_t cuts_ = 0;
};

TEST(ValidResults, of_random_graphs_with_noted_shapes) {
  Results results;
  for (uint64_t seed = 0; seed < 120; ++seed) {
    Graph graph = RandomGraph(seed).build();
    note_shapes(graph);
    results.add("random graph " + std::to_string(seed), graph);
  }
  results.expect_valid(100);
}

TEST(ValidResults, of_random_graphs_that_list_initialisers_as_inputs) {
  Results results;
  for (uint64_t seed = 200; seed < 280; ++seed) {
    Graph graph = RandomGraph(seed).build();
    note_shapes(graph);
    list_initialisers(graph);
    results.add("random graph " + std::to_string(seed), graph);
  }
  results.expect_valid(60);
}

TEST(ValidResults, of_real_models) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  Results results;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "models")) {
    if (entry.path().extension() != ".onnx" || entry.file_size() > 60'000'000) continue;
    const auto graph = attempt(ErrorKind::input, [&] { return read_onnx(entry.path()); });
    if (!graph) continue;
    attempt(ErrorKind::input, [&] {
      results.add(entry.path().filename().string(), *graph);
      return true;
    });
  }
  results.expect_valid(5);
}

TEST(ValidResults, shapes_that_another_tool_left_behind_are_set_right) {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 3, 8, 8]
    const w float32 [6, 3, 3, 3] random
    const v float32 [4, 6, 1, 1] random
    a = Conv(x, w)
    b = Relu(a)
    y = Conv(b, v)
    output y
  )");
  note_shapes(graph);
  list_initialisers(graph);
  graph.value(*find_value(graph, "w")).declared = Dims{{64, ""}, {3, ""}, {3, ""}, {3, ""}};
  const TempDir dir;
  write_onnx(graph, dir / "net.onnx");
  const OneShotOptions options = third_of_channels();
  write_onnx(prune_once(graph, find_criterion("l2"), options).graph, dir / "cut.onnx");
  EXPECT_EQ(check_models({dir / "net.onnx", dir / "cut.onnx"}),
            (std::vector<std::string>{"ok", "ok"}));
}

}  // namespace
}  // namespace coppice
