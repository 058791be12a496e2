// Masks: which weights are zero, while every shape stays. And the oldest way to choose them.
//
// Source: Han, Pool, Tran, Dally, "Learning both Weights and Connections for Efficient Neural
// Networks", NIPS 2015, arXiv:1506.02626, Sec. 3: connections with small |w| are removed.
// Differs: by rank, so that the sparsity is exact, where the paper removes what lies below a
// quality parameter times the layer's standard deviation; training again is the caller's.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice {

// By the name of the weight and of its shape: f32, 1 where it stays and 0 where it is zero.
using Masks = std::map<std::string, Tensor>;

struct MagnitudeOptions {
  enum class Scope { layer, global };  // the same share of every layer, or one rank over all

  double sparsity = 0;  // share of the weights that becomes zero, in [0, 1)
  Scope scope = Scope::layer;
  std::vector<std::string> keep = {};  // regular expressions: layers to leave alone
  // By the name of a weight: its own share in place of `sparsity`; for scope layer.
  std::map<std::string, double> layers = {};
  // By the names of weights that aren't ranked any more: their zeros stay, no others are added, and
  // those count towards the share of scope global.
  std::set<std::string> decided = {};
  // So many filters stay or go together at one place of a weight (prune/blocks/filter_blocks.h): 1,
  // 2 or 4. By the name of a weight, which filters are neighbours where they don't lie so.
  int together = 1;
  std::map<std::string, std::vector<int64_t>> filters = {};
};

// The constants that Conv, ConvTranspose, Gemm and MatMul multiply with, also behind a Transpose or
// the like: float32, rank 2 or more, each once, in the order of their readers.
std::vector<ValueId> maskable_weights(const Graph& graph);

// The nodes that read them, each reading once.
struct WeightReader {
  int32_t node;
  ValueId weight;
};
std::vector<WeightReader> weight_readers(const Graph& graph);

// The names of those that none of the regular expressions `keep` matches, in that order. Throws
// Error::target where none is left, Error::usage where a pattern matches nothing.
std::vector<std::string> weights_to_mask(const Graph& graph, const std::vector<std::string>& keep);

struct WeightCount {
  int64_t all = 0, nonzero = 0;
  friend bool operator==(const WeightCount&, const WeightCount&) = default;
};
// Of the maskable weights.
WeightCount count_weights(const Graph& graph);

// How many of so many weights of so many layers a sparsity makes zero: floor(all * sparsity +
// 1e-9). Throws Error::target where that leaves less than one a layer.
int64_t zeros_at(double sparsity, int64_t all, int64_t layers);

// Masks for all maskable weights but those of layers to keep, with floor(N * sparsity + 1e-9) zeros
// of a layer's N weights (scope global: of the N of all layers). Zeros are the smallest |w|; of
// equal ones the first by index, with layers in order. The largest weight of a layer always stays.
// In blocks it is by the mean |w| of each, and a few zeros less where blocks don't divide N.
// Where more is zero already, in a layer or for scope global in all of them, all of that is masked.
// Linear in the number of weights. Throws Error::target where there is nothing to mask or too
// little would stay, Error::usage where a pattern matches nothing.
Masks magnitude_masks(const Graph& graph, const MagnitudeOptions& options);

// Throws Error::target, with both shares, where more of the weights that `options` ranks is zero
// already than is asked for: pruning could only look as if it did something.
void require_denser_than_asked(const Graph& graph, const MagnitudeOptions& options);

// 1 where a maskable weight isn't zero, for all of them: to keep a sparse model's zeros.
Masks masks_of_zeros(const Graph& graph);

// The share of a weight's elements that lie below `quality` times the standard deviation of those
// that aren't zero, the paper's threshold as a sparsity.
double sparsity_of_quality(const Tensor& weight, double quality);
// By the names of the weights of the layers that a regular expression matches by the name of weight
// or node. Throws Error::usage naming `option` for a pattern that is none or matches nothing.
std::vector<std::string> weights_matching(const Graph& graph, const std::string& pattern,
                                          const std::string& option);

// Sets the weights that a mask holds 0 for to +0. Throws Error::input naming the tensor where graph
// and masks don't fit.
void apply_masks(Graph& graph, const Masks& masks);

}  // namespace coppice
