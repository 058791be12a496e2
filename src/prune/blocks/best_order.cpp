// See best_order.h.
#include "prune/blocks/best_order.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/threads.h"

namespace coppice {
namespace {

constexpr int kRounds = 3;  // later ones gain next to nothing
// Sums of floats, added and taken away, are this exact: a smaller gain may be none.
constexpr double kRounding = 1e-5;
constexpr int64_t kLanes = 8;

// What cells of `together` weights have above the least, if `added` joins the sums so far and
// `removed` leaves them.
double excess(const float* sums, const float* added, const float* removed, const Magnitudes& all,
              int together) {
  const auto size = static_cast<float>(together);
  const float* const least = all.least.data();
  std::array<float, kLanes> parts{};
  int64_t j = 0;
  for (; j + kLanes <= all.columns; j += kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) {
      const float above = sums[j + l] + added[j + l] - removed[j + l] - size * least[j + l];
      parts[l] += above > 0 ? above : 0;
    }
  }
  double sum = 0;
  for (; j < all.columns; ++j) {
    sum += std::max(0.0f, sums[j] + added[j] - removed[j] - size * least[j]);
  }
  for (const float part : parts) sum += part;
  return sum;
}

// An order of the units, and of each whole block its sums and what it has above the least.
class Blocks {
 public:
  Blocks(const Magnitudes& all, int together, std::vector<int64_t> units)
      : all_(all),
        together_(together),
        units_(std::move(units)),
        none_(static_cast<size_t>(all.columns), 0.0f) {
    for (size_t first = 0; first + together <= units_.size(); first += together) {
      std::vector<float>& sums = sums_.emplace_back(none_);
      for (int b = 0; b < together; ++b) add(sums, units_[first + b], 1);
      excess_.push_back(excess(sums.data(), none_.data(), none_.data(), all_, together_));
    }
  }

  const std::vector<int64_t>& units() const { return units_; }
  double total() const { return std::accumulate(excess_.begin(), excess_.end(), 0.0); }

  // Whether any pair changed places.
  bool swap_pairs() {
    const int64_t count = std::ssize(sums_) * together_;
    bool any = false;
    for (int64_t p = 0; p < count; ++p) {
      for (int64_t q = (p / together_ + 1) * together_; q < count; ++q) any |= swap_if_better(p, q);
    }
    return any;
  }

 private:
  void add(std::vector<float>& sums, int64_t unit, float factor) const {
    const float* const row = all_.of(unit);
    for (int64_t j = 0; j < all_.columns; ++j) sums[j] += factor * row[j];
  }

  bool swap_if_better(int64_t p, int64_t q) {
    const int64_t a = p / together_, b = q / together_;
    const float *const of_p = all_.of(units_[p]), *const of_q = all_.of(units_[q]);
    const double at_a = excess(sums_[a].data(), of_q, of_p, all_, together_),
                 at_b = excess(sums_[b].data(), of_p, of_q, all_, together_);
    const double before = excess_[a] + excess_[b];
    if (at_a + at_b <= before * (1 + kRounding)) return false;
    add(sums_[a], units_[p], -1);
    add(sums_[a], units_[q], 1);
    add(sums_[b], units_[q], -1);
    add(sums_[b], units_[p], 1);
    std::swap(units_[p], units_[q]);
    excess_[a] = at_a;
    excess_[b] = at_b;
    return true;
  }

  const Magnitudes& all_;
  int together_;
  std::vector<int64_t> units_;
  std::vector<float> none_;
  std::vector<std::vector<float>> sums_;
  std::vector<double> excess_;
};

// The place in `left` of the unit that a block gains most by.
size_t best_of(const std::vector<int64_t>& left, const std::vector<float>& sums,
               const Magnitudes& all, int together) {
  std::vector<double> gains(left.size());
  const std::vector<float> none(sums.size(), 0.0f);
  parallel_for(std::ssize(left), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      gains[i] = excess(sums.data(), all.of(left[i]), none.data(), all, together);
    }
  });
  return static_cast<size_t>(std::ranges::max_element(gains) - gains.begin());
}

std::vector<int64_t> greedy(const Magnitudes& all, int together) {
  std::vector<int64_t> left(static_cast<size_t>(all.units));
  std::iota(left.begin(), left.end(), 0);
  std::vector<double> sizes;
  for (int64_t u = 0; u < all.units; ++u) {
    sizes.push_back(std::accumulate(all.of(u), all.of(u) + all.columns, 0.0));
  }
  std::ranges::stable_sort(left, [&](int64_t a, int64_t b) { return sizes[a] > sizes[b]; });
  std::vector<int64_t> order;
  while (std::ssize(left) >= together) {
    order.push_back(left.front());
    left.erase(left.begin());
    std::vector<float> sums(all.of(order.back()), all.of(order.back()) + all.columns);
    for (int size = 2; size <= together; ++size) {
      const size_t best = best_of(left, sums, all, size);
      const float* const row = all.of(left[best]);
      for (int64_t j = 0; j < all.columns; ++j) sums[j] += row[j];
      order.push_back(left[best]);
      left.erase(left.begin() + static_cast<int64_t>(best));
    }
  }
  std::ranges::sort(left);  // of these few each weight is for itself
  order.insert(order.end(), left.begin(), left.end());
  return order;
}

}  // namespace

std::vector<int64_t> best_order(const Magnitudes& all, int together) {
  std::vector<int64_t> as_it_lies(static_cast<size_t>(all.units));
  std::iota(as_it_lies.begin(), as_it_lies.end(), 0);
  Blocks lying(all, together, as_it_lies), found(all, together, greedy(all, together));
  Blocks& best = found.total() > lying.total() ? found : lying;
  for (int round = 0; round < kRounds && best.swap_pairs(); ++round) {
  }
  return best.units();
}

}  // namespace coppice
