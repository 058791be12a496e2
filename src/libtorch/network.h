// A graph on a device: its constants, and its programs, one for each batch size and each choice of
// values that was asked for.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "libtorch/program.h"

namespace coppice::train {

class Network {
 public:
  enum class Gives { loss, outputs, watched };
  struct Wanted {
    std::vector<ValueId> loss, outputs;
    std::vector<ValueId> watched = {};
  };
  // `wanted`: the values that `run` gives.
  Network(Graph graph, Wanted wanted, at::Device device, Floats floats = Floats::single,
          StillChannels still = {});
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const Graph& graph() const { return graph_; }
  // A constant of the graph, in the device's fast layout; put there when it is first asked for.
  at::Tensor& constant(ValueId id);
  const at::Tensor& constant(ValueId id) const { return constants_[id]; }
  // `inputs`: in the order of the graph's; the first has the batch in front. Throws Error::input
  // for one of another shape than the graph's.
  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs, Gives gives, Mode mode);
  // What `run` gives from now on where it gives what is watched. Nothing else becomes slower: each
  // choice of values has programs of its own.
  void watch(std::vector<ValueId> values);
  // Compiles the graph for a batch size that it may have, so that what can't be trained is refused
  // before the first run.
  void prepare();

 private:
  const Program& program(int64_t batch, Gives gives);
  const std::vector<ValueId>& wanted(Gives gives) const;

  Graph graph_;
  Wanted wanted_;
  at::Device device_;
  Floats floats_;
  StillChannels still_;
  Values constants_;
  std::map<std::pair<int64_t, Gives>, Program> programs_;
};

// channels_last on the CPU, row-major on CUDA. Why: a training step of ResNet-20 takes 0.138 s in
// channels_last and 0.168 s row-major (batch 128, two cores with AVX-512); ResNet-56 on an H200, in
// full float32 with deterministic algorithms, does 3,500 images/s in channels_last and 4,040
// row-major (one short run each). November 2026.
at::Tensor in_fast_layout(const at::Tensor& tensor);

}  // namespace coppice::train
