// Refits what reads less than before, layer by layer: each Conv, Gemm and MatMul behind a cut gets
// the weights and the bias that bring its outputs nearest to the original's, from what it reads in
// the net that is cut already and whose earlier layers are refitted already; so errors don't add
// up from layer to layer, as they do where all are corrected by what the original reads.
//
// Where a layer is the last of a branch, what its sum was is wanted, less what the other branch
// gives now: it makes up for the stream's errors, too.
//
// Source: He, Zhang, Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017,
// arXiv:1707.06168, Sec. 3.1 (ii) and 3.2.
// Differs: whatever chose the channels; with a ridge (least_squares.h); also layers that lose no
// inputs, depthwise ones included, where what they read has changed; more points an image in wide
// layers; but in sums outputs keep their variance, so that nothing fades from layer to layer.
#pragma once

#include "evidence/requests.h"
#include "groups/groups.h"

namespace coppice {

struct ChangedCounts {
  int64_t corrected = 0;
  int64_t unknown = 0;  // there is no place to correct, or too much is read
  friend bool operator==(const ChangedCounts&, const ChangedCounts&) = default;
};

// `before`: what is to be approached, of which `graph` is a copy, perhaps compensated
// (compensation.h), and `groups` found on it. Changes weights, biases and running means of `graph`
// where they stay; a Conv or Gemm without a bias may get one. The units are still there, and cut or
// masked afterwards. Weights and biases that several nodes read are left alone. The same input
// gives the same bits. As many passes as layers, most of them short (evidence/staged.h). Throws
// what `measure` throws.
ChangedCounts refit_layers(const Graph& before, Graph& graph, Groups& groups,
                           const Removal& removal, const Measure& measure);

}  // namespace coppice
