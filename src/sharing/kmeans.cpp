// See kmeans.h.
#include "sharing/kmeans.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "core/error.h"
#include "core/float_bits.h"
#include "core/random.h"
#include "core/threads.h"

namespace coppice {
namespace {

float value_of(uint32_t key) { return std::bit_cast<float>(pattern_of(key, 32)); }
uint32_t key_of(float value) { return order_key(std::bit_cast<uint32_t>(value), 32); }

std::vector<uint32_t> nonzero_keys(std::span<const float> weights) {
  std::vector<uint32_t> keys;
  keys.reserve(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i])) {
      fail_input("weight " + std::to_string(i) + " is " + std::to_string(weights[i]) +
                 ", expected a finite number");
    }
    if (weights[i] != 0) keys.push_back(key_of(weights[i]));
  }
  return keys;
}

// By 11 bits at a time, lowest first.
void radix_sort(std::vector<uint32_t>& keys) {
  constexpr int kDigits = 3, kBits = 11;
  constexpr size_t kBuckets = size_t{1} << kBits;
  std::vector<std::array<size_t, kBuckets>> starts(kDigits);
  for (auto& digit : starts) digit.fill(0);
  for (const uint32_t key : keys) {
    for (int d = 0; d < kDigits; ++d) ++starts[d][key >> (d * kBits) & (kBuckets - 1)];
  }
  std::vector<uint32_t> other(keys.size());
  for (int d = 0; d < kDigits; ++d) {
    size_t sum = 0;
    for (size_t& start : starts[d]) {
      const size_t count = start;
      start = sum;
      sum += count;
    }
    for (const uint32_t key : keys) other[starts[d][key >> (d * kBits) & (kBuckets - 1)]++] = key;
    keys.swap(other);
  }
}

// Sorted values with the sums over ranges of them.
class Sorted {
 public:
  explicit Sorted(std::vector<uint32_t> keys) : keys_(std::move(keys)), sums_{0} {
    for (size_t begin = 0; begin < keys_.size(); begin += kBlock) {
      sums_.push_back(sums_.back() + sum_within(begin, std::min(begin + kBlock, keys_.size())));
    }
  }
  size_t size() const { return keys_.size(); }
  float at(size_t i) const { return value_of(keys_[i]); }
  // How many values are at most `bound`.
  size_t count_up_to(double bound) const {
    return static_cast<size_t>(
        std::partition_point(keys_.begin(), keys_.end(),
                             [&](uint32_t key) { return double{value_of(key)} <= bound; }) -
        keys_.begin());
  }
  double mean(size_t begin, size_t end) const {
    return (sum_up_to(end) - sum_up_to(begin)) / static_cast<double>(end - begin);
  }

 private:
  static constexpr size_t kBlock = 256;
  double sum_within(size_t begin, size_t end) const {
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += at(i);
    return sum;
  }
  double sum_up_to(size_t end) const {
    return sums_[end / kBlock] + sum_within(end / kBlock * kBlock, end);
  }

  std::vector<uint32_t> keys_;
  std::vector<double> sums_;  // of the blocks before
};

std::vector<double> initial(const Sorted& values, const KMeansOptions& options) {
  const auto clusters = static_cast<size_t>(options.clusters);
  const double least = values.at(0), most = values.at(values.size() - 1);
  std::vector<double> centroids;
  Random random(options.seed);
  for (size_t k = 0; k < clusters; ++k) {
    switch (options.init) {
      case KMeansOptions::Init::linear: {
        const double share =
            clusters == 1 ? 0.5 : static_cast<double>(k) / static_cast<double>(clusters - 1);
        centroids.push_back(least + share * (most - least));
        break;
      }
      case KMeansOptions::Init::density:
        centroids.push_back(values.at((2 * k + 1) * values.size() / (2 * clusters)));
        break;
      case KMeansOptions::Init::forgy:
        centroids.push_back(values.at(random.below(values.size())));
        break;
    }
  }
  std::sort(centroids.begin(), centroids.end());
  return centroids;
}

// One past the last value of each cluster.
template <typename T>
std::vector<size_t> ends_of(const Sorted& values, const std::vector<T>& centroids) {
  std::vector<size_t> ends;
  for (size_t k = 0; k + 1 < centroids.size(); ++k) {
    ends.push_back(values.count_up_to((double{centroids[k]} + double{centroids[k + 1]}) / 2));
  }
  ends.push_back(values.size());
  return ends;
}

int iterate(const Sorted& values, int most, std::vector<double>& centroids) {
  std::vector<size_t> ends = ends_of(values, centroids);
  for (int done = 0; done < most; ++done) {
    for (size_t k = 0; k < centroids.size(); ++k) {
      const size_t begin = k == 0 ? 0 : ends[k - 1];
      if (begin < ends[k]) centroids[k] = values.mean(begin, ends[k]);
    }
    std::vector<size_t> next = ends_of(values, centroids);
    if (next == ends) return done + 1;
    ends = std::move(next);
  }
  return most;
}

// From weights to codes: most weights share their upper 16 bits only with weights of their cluster.
class Nearest {
 public:
  explicit Nearest(const std::vector<float>& centroids) : codes_(size_t{1} << 16) {
    for (size_t k = 0; k + 1 < centroids.size(); ++k) {
      bounds_.push_back((double{centroids[k]} + double{centroids[k + 1]}) / 2);
    }
    for (uint32_t high = 0; high < codes_.size(); ++high) {
      const uint16_t first = search(value_of(high << 16)),
                     last = search(value_of(high << 16 | 0xffff));
      codes_[high] = first == last ? first : kMixed;
    }
  }
  uint16_t code(float weight) const {
    if (weight == 0) return 0;
    const uint16_t code = codes_[key_of(weight) >> 16];
    return code != kMixed ? code : search(weight);
  }

 private:
  static constexpr uint16_t kMixed = 0;
  uint16_t search(float weight) const {
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), double{weight});
    return static_cast<uint16_t>(bound - bounds_.begin() + 1);
  }

  std::vector<double> bounds_;  // between centroids; a weight on one belongs to the lower
  std::vector<uint16_t> codes_;
};

}  // namespace

SharedWeights share_weights(std::span<const float> weights, const KMeansOptions& options) {
  constexpr int kMaxClusters = 65535;
  if (options.clusters < 1 || options.clusters > kMaxClusters) {
    fail_usage(std::to_string(options.clusters) + " clusters, expected 1 to " +
               std::to_string(kMaxClusters));
  }
  SharedWeights shared;
  shared.codes.assign(weights.size(), 0);
  std::vector<uint32_t> keys = nonzero_keys(weights);
  if (keys.empty()) return shared;
  radix_sort(keys);
  const Sorted values(std::move(keys));
  std::vector<double> centroids = initial(values, options);
  shared.iterations = iterate(values, options.iterations, centroids);
  shared.centroids.assign(centroids.begin(), centroids.end());
  const Nearest nearest(shared.centroids);
  constexpr int64_t kGrain = 1 << 16;
  parallel_for(static_cast<int64_t>(weights.size()), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      shared.codes[static_cast<size_t>(i)] = nearest.code(weights[static_cast<size_t>(i)]);
    }
  });
  return shared;
}

}  // namespace coppice
