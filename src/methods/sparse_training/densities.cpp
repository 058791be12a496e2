// See densities.h.
#include "methods/sparse_training/densities.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "prune/masks/masks.h"

namespace coppice {
namespace {

double size_of(const Shape& shape) { return static_cast<double>(element_count(shape)); }

double sum_of_axes(const Shape& shape) {
  return static_cast<double>(std::accumulate(shape.begin(), shape.end(), int64_t{0}));
}

// What a layer's density is eps times of.
double raw_density(const Shape& shape) { return sum_of_axes(shape) / size_of(shape); }

// That of the layers that aren't dense, so that all together have `kept` weights; none: all are.
double solve_epsilon(std::span<const Shape> shapes, const std::vector<char>& dense, int64_t kept) {
  double left = static_cast<double>(kept), divisor = 0;
  for (size_t l = 0; l < shapes.size(); ++l) {
    if (dense[l]) {
      left -= size_of(shapes[l]);
    } else {
      divisor += sum_of_axes(shapes[l]);
    }
  }
  return divisor > 0 ? left / divisor : 0;
}

// Makes those dense that are the densest of the others, if eps makes more than all of them.
bool grow_dense(std::span<const Shape> shapes, std::vector<char>& dense, double epsilon) {
  double largest = 0;
  for (size_t l = 0; l < shapes.size(); ++l) {
    if (!dense[l]) largest = std::max(largest, raw_density(shapes[l]));
  }
  if (epsilon * largest <= 1) return false;
  for (size_t l = 0; l < shapes.size(); ++l) {
    if (raw_density(shapes[l]) == largest) dense[l] = 1;
  }
  return true;
}

// Whole numbers of that sum, each at least 1 and at most its layer's size.
std::vector<int64_t> apportioned(std::span<const Shape> shapes, const std::vector<double>& wanted,
                                 int64_t sum) {
  std::vector<int64_t> counts;
  for (const double count : wanted) {
    counts.push_back(std::max<int64_t>(1, static_cast<int64_t>(std::floor(count + 1e-9))));
  }
  int64_t left = sum - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  for (; left > 0; --left) {
    size_t next = 0;
    double most = -std::numeric_limits<double>::infinity();
    for (size_t l = 0; l < counts.size(); ++l) {
      const double remainder = wanted[l] - static_cast<double>(counts[l]);
      if (counts[l] == element_count(shapes[l]) || remainder <= most) continue;
      next = l;
      most = remainder;
    }
    ++counts[next];
  }
  for (; left < 0; ++left) --*std::ranges::max_element(counts);
  return counts;
}

}  // namespace

std::vector<int64_t> uniform_counts(std::span<const Shape> shapes, double sparsity) {
  std::vector<int64_t> counts;
  for (const Shape& shape : shapes) {
    const int64_t all = element_count(shape);
    counts.push_back(all - zeros_at(sparsity, all, 1));
  }
  return counts;
}

std::vector<int64_t> erk_counts(std::span<const Shape> shapes, double sparsity) {
  int64_t all = 0;
  for (const Shape& shape : shapes) all += element_count(shape);
  const int64_t kept = all - zeros_at(sparsity, all, std::ssize(shapes));
  std::vector<char> dense(shapes.size(), 0);
  double epsilon = solve_epsilon(shapes, dense, kept);
  while (grow_dense(shapes, dense, epsilon)) epsilon = solve_epsilon(shapes, dense, kept);
  std::vector<double> wanted;
  for (size_t l = 0; l < shapes.size(); ++l) {
    wanted.push_back(dense[l] ? size_of(shapes[l]) : epsilon * sum_of_axes(shapes[l]));
  }
  return apportioned(shapes, wanted, kept);
}

}  // namespace coppice
