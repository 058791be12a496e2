// Channel Pruning: layer after layer, which of the channels that it reads stay, and the weights
// that bring its outputs nearest to the original's from these.
//
//   for each layer in the graph's order
//     X   what it reads at sampled points, in the net whose earlier layers are done (patches)
//     Y   what it answers at these points in the original
//     choose   the units of the groups that it is the first to read, as many as are to stay
//     refit    argmin over W, b of |Y - X' W T - b|^2 over the columns that stay
//
// A layer behind which a sum follows, and whose other side is done, is asked for Y_2 + (Y_1 -
// Y'_1): with its own part of the original sum also for what the other side lacks. What
// BatchNormalization behind a layer makes of its outputs says how much each output counts, as if it
// were folded in.
//
// Source: He, Zhang, Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017,
// arXiv:1707.06168, Sec. 3.1 and 3.3 and the authors' code (yihui-he/channel-pruning).
// Differs: the LASSO is solved over all samples, by their second moments, where the code draws 400;
// the count is met exactly, where the code takes up to 10 % more; each output has an intercept of
// its own in the LASSO, too; channels are chosen once and then refitted, without alternating (the
// code's default); channels that several layers read are chosen by all of these together, each in
// proportion to its outputs' variance; layers that read something changed are refitted, also where
// they lose nothing; all points are of one draw, for each image and layer its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "evidence/requests.h"
#include "groups/groups.h"
#include "prune/budget/widths.h"

namespace coppice {

struct RegressionOptions {
  // How units are chosen. The others are what the paper compares with: the sum of absolute weights
  // of their filters, the first, the largest mean absolute response, and by lot.
  enum class Choose { lasso, l1, first, response, random };
  // Whether the LASSO sees what a unit gives as it is, or as if its weights' norm were 1.
  enum class Scaled { as_is, by_norm };
  // Which layers get new weights: those that lose inputs, or also those that read what has changed.
  enum class Refit { none, losing, changed };

  Choose choose = Choose::lasso;
  Scaled scaled = Scaled::as_is;
  Refit refit = Refit::changed;
  int64_t points = 10;  // of each image and layer
  uint64_t seed = 0;
  Measure measure = {};
  std::function<void(int64_t done, int64_t layers)> after_layer = {};  // and before the first
};

// What became of a layer that lost inputs.
struct RegressedLayer {
  std::string name;
  int64_t inputs = 0, kept = 0;  // channels
  // Mean squared error over the variance of what was wanted, by the samples themselves: after the
  // choice with the weights as they were, and after the fit.
  double chosen = 0, fitted = 0;
};

struct Regressed {
  Removal removal;
  std::vector<RegressedLayer> layers;
};

// Chooses so that every group keeps as many units as `widths` says, and changes weights, biases and
// running means of the graph; the units are still there, and cut or masked afterwards. New biases
// join `groups`, which must have been found on this graph as it is now. The same input gives the
// same bits.
//
// Throws Error::input, naming the layer, for fewer samples than it has unknowns, and for one whose
// outputs, or whose inputs, are the same at all samples; what `options.measure` throws; and
// as removal_for does. Requires: groups that lose units have readers (unit_readers.h).
Regressed regress_layers(Graph& graph, Groups& groups, const Widths& widths,
                         const RegressionOptions& options);

}  // namespace coppice
