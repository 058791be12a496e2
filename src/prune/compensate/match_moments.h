// Brings means and variances of every channel back to the original's, in the graph's order, on the
// net that is cut already: where there is BatchNormalization, by its running statistics, else by
// scaling a layer's filters and shifting its bias.
//
// Source: the usual resetting of statistics after a cut (He, Zhang, Sun, arXiv:1707.06168, and
// others).
// Differs: statistics are moved by what the same images say of both nets, m' = m_now + (m - m_was)
// s, v' = v s^2, s^2 = v_now / v_was, so that few images do little harm; nets without
// BatchNormalization get the same by their weights.
#pragma once

#include "prune/compensate/refit_layers.h"

namespace coppice {

// As refit_layers. The counts are of normalisations, and of layers without one behind them.
ChangedCounts match_moments(const Graph& before, Graph& graph, Groups& groups,
                            const Removal& removal, const Measure& measure);

}  // namespace coppice
