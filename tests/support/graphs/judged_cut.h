// A masked and a cut graph side by side in ONNX Runtime. A test that includes this links groups,
// onnx and runtime.
#pragma once

#include "onnx/onnx.h"
#include "support/graphs/cut.h"
#include "support/onnxruntime.h"
#include "support/temp_dir.h"

namespace coppice {

class JudgedCut {
 public:
  JudgedCut(OnnxRuntime& judge, const Graph& graph, const Groups& groups, const Removal& removal)
      : judge_(judge), masked_(graph) {
    Graph cut = graph;
    mask_units(masked_, groups, removal);
    remove_units(cut, groups, removal);
    write_onnx(masked_, folder_ / "masked.onnx");
    write_onnx(cut, folder_ / "cut.onnx");
  }

  // The masked graph's outputs, which those of the cut one are expected to equal.
  std::vector<NamedTensor> expect_agreement(const std::vector<NamedTensor>& inputs) {
    std::vector<NamedTensor> expected = judge_.run(folder_ / "masked.onnx", inputs);
    const auto found = judge_.run(folder_ / "cut.onnx", inputs);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LT(difference(expected[i].tensor, found[i].tensor), kCutTolerance);
    }
    return expected;
  }

  const Graph& masked() const { return masked_; }

 private:
  OnnxRuntime& judge_;
  Graph masked_;
  TempDir folder_;
};

}  // namespace coppice
