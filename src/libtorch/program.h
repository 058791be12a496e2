// A graph as a sequence of LibTorch calls, for one batch size, through which gradients flow.
//
// What nobody asked for isn't computed; a value is dropped after its last reader, and written over
// where no gradient needs it, so that memory stays with what autograd keeps.
#pragma once

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "graph/graph.h"
#include "graph/infer.h"
#include "libtorch/lower/lower.h"

namespace coppice::train {

// Whether numbers that the graph has in float32 are passed on so, or in double.
enum class Floats { single, doubled };

class Program {
 public:
  // `wanted`: values that `run` gives; what the graph computes beforehand is put on the device.
  // Throws Error::input naming the node for what can't be trained.
  Program(const Graph& graph, const InputSizes& sizes, std::vector<ValueId> wanted,
          at::Device device = at::kCPU, Floats floats = Floats::single,
          const StillChannels& still = {});

  // `constants`: by ValueId, at least those of `constants_read`; running statistics among them are
  // updated in place in training mode. `inputs`: in the order of the graph's.
  std::vector<at::Tensor> run(const Values& constants, const std::vector<at::Tensor>& inputs,
                              Mode mode) const;

  // Constants of the graph that the program reads.
  const std::vector<ValueId>& constants_read() const { return constants_read_; }
  const Shape& shape(ValueId id) const { return inferred_.shape(id); }

 private:
  struct Line {
    Step step;
    std::vector<ValueId> outputs, last_reads;  // the latter are dropped afterwards
  };
  void keep_known(const Graph& graph, ValueId id);

  std::vector<ValueId> inputs_, wanted_, constants_read_;
  Inferred inferred_;
  at::Device device_;
  Floats floats_;
  std::vector<std::pair<ValueId, at::Tensor>> known_;  // sizes that the graph computes
  std::vector<Line> lines_;
};

}  // namespace coppice::train
