// An operator touches its file, its reference kernel and its lowering: whoever else must know what
// kind of operator a node is asks the OpDef (graph/op.h), not its name.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "core/files.h"
#include "graph/op.h"

namespace coppice {
namespace {

// Files that name an operator which they don't define or compute, and why. None lists operators of
// a kind: that is asked of the OpDef.
const std::map<std::string, std::set<std::string>> kNamed{
    // its sizes may be numbers that stand for others
    {"src/graph/passes/simplify/fold_shapes.cpp", {"Reshape"}},
    // writes such nodes, or looks for what it wrote
    {"src/graph/passes/select_channels.cpp", {"Concat", "Gather"}},
    {"src/graph/passes/shuffles_to_gathers.cpp", {"Gather"}},
    {"src/groups/cut/repair.cpp", {"Concat", "Gather", "Mul", "Size", "Where"}},
    {"src/methods/search/pruning_net.cpp", {"Gather", "Gemm", "Mul", "Relu", "Reshape"}},
    {"src/methods/sparse_training/at_start/synflow.cpp", {"Exp", "Sub"}},
    {"src/methods/unstructured/rescale_dropout.cpp", {"Dropout"}},
    {"src/prune/runtimes/bounds.cpp", {"Add", "Clip", "Relu", "Sub"}},
    {"src/prune/runtimes/selections.cpp", {"Conv", "Gather"}},
    {"src/prune/runtimes/splits.cpp", {"Slice", "Split"}},
    // shows it in its layer's row
    {"src/texts/description.cpp", {"BatchNormalization"}},
    // puts weights beside each other, and computes nothing
    {"src/graph/passes/fold_weights.cpp", {"Concat"}},
    // follows names of constants through it
    {"src/graph/passes/separate_vectors.cpp", {"Identity"}},
    // a Constant node is a value with a tensor
    {"src/codec/container/split.cpp", {"Constant"}},
    {"src/methods/one_shot/same_structure.cpp", {"Constant"}},
    {"src/onnx/read.cpp", {"Constant"}},
    {"src/onnx/write.cpp", {"Constant"}},
    // linear, and the same for every channel, so that it doesn't see in which basis they stand
    {"src/prune/compensate/change_basis.cpp", {"AveragePool", "GlobalAveragePool", "Identity"}},
    // scores of classes are compared before it
    {"src/prune/compensate/output_error.cpp", {"Softmax"}},
    // choose rows, and no gradient comes through what they choose by
    {"src/training/output_gradients.cpp", {"Compress", "NonMaxSuppression", "NonZero", "Unique"}},
    // what scores are is read off the last nodes
    {"src/training/scores.cpp", {"Div", "Mul", "Sigmoid", "Softmax"}},
    // rules of their own for each, optional: without one nothing is known behind the node
    {"src/evidence/modelled/rules_layout.cpp",
     {"AveragePool", "Concat", "Dropout", "Gather", "GlobalAveragePool", "MaxPool", "Pad",
      "ReduceMean", "Resize", "Slice", "Upsample"}},
    {"src/training/value_ranges.cpp",
     {"Abs",           "Add",         "Cast",       "Clip",      "Concat",
      "Cos",           "Div",         "Dropout",    "Erf",       "GlobalAveragePool",
      "GlobalMaxPool", "HardSigmoid", "Max",        "MaxPool",   "Min",
      "Mul",           "Pow",         "Reciprocal", "ReduceL1",  "ReduceL2",
      "ReduceMax",     "ReduceMean",  "ReduceMin",  "ReduceSum", "ReduceSumSquare",
      "Sigmoid",       "Sin",         "Softmax",    "Softplus",  "Softsign",
      "Sqrt",          "Sub",         "Sum",        "Tanh",      "Where"}},
};

// Where an operator is defined, seen as a whole kind, computed, trained or built.
bool may_name_operators(const std::string& file) {
  constexpr const char* kHomes[] = {"src/graph/ops/",
                                    "src/graph/views/",
                                    "src/runtime/reference/",
                                    "src/runtime/kernels/",
                                    "src/libtorch/lower/",
                                    "src/zoo/",
                                    "src/prune/runtimes/opset.cpp"};  // since when each is as it is
  return std::ranges::any_of(kHomes, [&](const char* home) { return file.starts_with(home); });
}

TEST(OperatorNames, stand_with_what_they_name_and_with_who_computes_it) {
  const std::filesystem::path root = COPPICE_SOURCE_DIR;
  std::map<std::string, std::set<std::string>> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "src")) {
    const std::string file = std::filesystem::relative(entry.path(), root).generic_string();
    const bool source = file.ends_with(".cpp") || file.ends_with(".h");
    if (!source || file.ends_with("_test.cpp") || may_name_operators(file)) continue;
    const std::string text = read_text(entry.path());
    for (const OpDef* op : operators()) {
      if (text.find('"' + std::string(op->type) + '"') == std::string::npos) continue;
      found[file].insert(op->type);
    }
  }
  for (const auto& [file, names] : found) {
    const auto named = kNamed.find(file);
    for (const std::string& name : names) {
      EXPECT_TRUE(named != kNamed.end() && named->second.contains(name))
          << file << " names " << name << ": ask for what it needs to know of it in graph/op.h";
    }
  }
  for (const auto& [file, names] : kNamed) {
    for (const std::string& name : names) {
      EXPECT_TRUE(found[file].contains(name)) << file << " doesn't name " << name << " any more";
    }
  }
}

}  // namespace
}  // namespace coppice
