// Blocks of neighbouring filters: the weights of 2 or 4 filters at one place (an input channel and
// tap) stay or go together, which is what the fastest sparse loops run on (runtime/sparse). Blocks
// begin anew with each group of a grouped convolution; filters left over at its end, fewer than a
// block, go weight by weight, as they do in those loops.
//
// Source: Lin, Zhang, Li, Chen, Chao, Wang, Li, Tian, Ji, "1xN Pattern for Pruning Convolutional
// Neural Networks", TPAMI 2022, arXiv:2105.14713.
// Differs: a block holds one weight of each filter, where the paper's hold whole kernels.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace coppice {

// Where a weight has its filters (output channels, neurons).
struct FilterAxis {
  int64_t axis = 0;
  int64_t groups = 1;  // of the convolution, of so many filters each, one after the other
  friend bool operator==(const FilterAxis&, const FilterAxis&) = default;
};

// Of constants that layers multiply with: also behind a Transpose of a matrix, and none of one that
// layers read differently.
std::map<ValueId, FilterAxis> filter_axes(const Graph& graph);

// A weight as cells: blocks, and the single weights of filters that are left over.
class FilterBlocks {
 public:
  // `order`: filters that are neighbours, where they don't lie so; empty: as they lie.
  FilterBlocks(Shape shape, FilterAxis filters, int together, std::vector<int64_t> order = {});

  int64_t cells() const { return std::ssize(runs_) * outer_ * inner_; }
  int64_t size_of(int64_t cell) const { return runs_[cell / (outer_ * inner_)].filters; }
  const Shape& shape() const { return shape_; }

  // Calls visit(cell, element) for each weight, cell after cell within a filter.
  template <typename Visit>
  void for_each(Visit visit) const {
    int64_t first = 0;
    for (const Run& run : runs_) {
      for (int64_t p = run.first; p < run.first + run.filters; ++p) {
        for (int64_t o = 0; o < outer_; ++o) {
          const int64_t element = (o * filters_ + order_[p]) * inner_;
          for (int64_t i = 0; i < inner_; ++i) visit(first + o * inner_ + i, element + i);
        }
      }
      first += outer_ * inner_;
    }
  }

  // By cell, the mean of what its weights have.
  template <typename T>
  std::vector<double> means(std::span<const T> by_weight) const {
    std::vector<double> means(static_cast<size_t>(cells()), 0.0);
    for_each([&](int64_t cell, int64_t element) {
      means[cell] += static_cast<double>(by_weight[element]);
    });
    for (int64_t cell = 0; cell < cells(); ++cell) {
      means[cell] /= static_cast<double>(size_of(cell));
    }
    return means;
  }
  // A mask of the weight's shape from one of its cells.
  Tensor spread(std::span<const float> stays) const;
  // `mask` and, of a block of which some stays, all.
  Tensor whole(const Tensor& mask) const;

 private:
  struct Run {
    int64_t first, filters;
  };
  Shape shape_;
  int64_t outer_ = 1, filters_, inner_ = 1;
  std::vector<int64_t> order_;
  std::vector<Run> runs_;
};

// Of each of these constants; one whose filters aren't known is in single weights. `filters`: by
// name, the order of those that are neighbours where they don't lie so.
std::vector<FilterBlocks> blocks_of(const Graph& graph, std::span<const ValueId> weights,
                                    int together,
                                    const std::map<std::string, std::vector<int64_t>>& filters);

}  // namespace coppice
