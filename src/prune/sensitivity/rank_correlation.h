// How far two rankings of the same things agree.
//
// Source: P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, "Pruning Convolutional Neural
// Networks for Resource Efficient Inference", ICLR 2017, arXiv:1611.06440, Sec. 3.3: Spearman's
// S = 1 - 6 sum d^2 / (N (N^2 - 1)), d the difference of two ranks.
// Differs: ties, of which the paper doesn't speak, have the mean of the ranks they take up.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace coppice {

// From 1; equal values have the mean of their ranks.
std::vector<double> ranks_of(std::span<const double> values);

// Nothing for fewer than two. Requires: as many of both, all finite.
std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace coppice
