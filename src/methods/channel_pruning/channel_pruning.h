// Channel Pruning: the channels that a layer reads are chosen by the LASSO, and its weights
// refitted to the original's outputs by least squares; without labels, gradients or training.
//
// Source: He, Zhang, Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017,
// arXiv:1707.06168.
// Differs: prune/regression/regress_layers.h says where; how many channels each layer keeps is
// solved for a budget, where the paper's tables come from trying.
#pragma once

#include <string>
#include <vector>

#include "methods/one_shot/one_shot.h"
#include "prune/regression/regress_layers.h"

namespace coppice {

struct ChannelPruningOptions {
  // Whether layers that read a residual stream by themselves read fewer of its channels, through an
  // index in front of them (the paper's sampler). Streams stay as they are in any case.
  enum class Sampler { on, off };
  // How a budget of MACs or parameters is shared: every layer keeps the same share of its channels,
  // or those leave that cost least error for what they save (error_curves).
  enum class ShareBy { even, errors };

  // Budget, what to leave alone, proof, seed, measure; curves that share the budget instead of
  // share_by.
  OneShotOptions pruning;
  RegressionOptions regression = {};  // measure and seed are those of `pruning`
  Sampler sampler = Sampler::off;
  ShareBy share_by = ShareBy::even;
  // Groups of such a name keep so many times the share of channels that others keep, if not more
  // than all: layers that a cut hurts more. The last that matches counts.
  std::vector<LayerRatio> keep_more = {};
  std::function<void(int64_t done, int64_t layers)> looked_at = {};  // for ShareBy::errors
  std::function<void(const std::string&)> remark = [](const std::string&) {};
};

// Throws Error::usage where there is nothing to measure on or `keep_more` is told beside a ratio;
// and as allocate, regress_layers and require_cut do.
Outcome channel_pruning(const Graph& original, const ChannelPruningOptions& options);

// Multiply-accumulates that the samplers of a net count for: one for each number that they hand on,
// where they don't hand on all.
int64_t sampler_macs(const Graph& graph, const Groups& groups, const Removal& removal);

}  // namespace coppice
