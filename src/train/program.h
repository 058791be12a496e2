// A graph as a sequence of LibTorch calls for one batch size, through which gradients flow.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "graph/graph.h"
#include "graph/infer.h"
#include "train/lower/lower.h"

namespace coppice::train {

class Program {
 public:
  // Keeps a reference to the graph. Throws Error::input naming the node for what can't be trained.
  Program(const Graph& graph, const InputSizes& sizes);

  // `constants`: by ValueId, the tensors of the graph's constants that steps read (see `needed`).
  // `inputs` in the order of graph.inputs. Gives the values asked for by `wanted`; statistics of
  // normalisations are updated in place in training mode.
  std::vector<at::Tensor> run(const Values& constants, const std::vector<at::Tensor>& inputs,
                              const std::vector<ValueId>& wanted, Mode mode) const;

  // Values that `constants` must hold: constants, and small values that inference knows.
  const std::vector<ValueId>& needed() const { return needed_; }
  // The known value of a needed one.
  const Tensor& constant(ValueId id) const;
  const Inferred& inferred() const { return inferred_; }

 private:
  struct Line {
    Step step;
    std::vector<ValueId> last_reads;  // dropped afterwards
  };
  const Graph& graph_;
  Inferred inferred_;
  std::vector<Line> lines_;
  std::vector<ValueId> needed_;
};

}  // namespace coppice::train
