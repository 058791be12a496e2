// Weight sharing: k-means over the nonzero weights of a tensor.
//
// Lloyd's iteration in one dimension, exact: clusters of sorted values are ranges, so that with the
// values sorted once and sums over blocks of them an iteration costs K log n and not K n. Zero
// stays zero and is no cluster; an empty cluster keeps its centroid; of two centroids equally near
// the lower takes the weight. The result depends on nothing but weights and options.
//
// Source: S. Han, H. Mao, W. J. Dally, "Deep Compression", ICLR 2016, arXiv 1510.00149,
// sections 3.1 and 3.2. Differs: forgy draws with replacement, so that centroids may begin equal,
// and by the same stream for every tensor; what becomes of empty clusters isn't stated there.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coppice {

struct KMeansOptions {
  enum class Init {
    linear,   // c_k = min + k (max - min) / (K - 1); the paper's best
    density,  // the values at the levels (k + 1/2) / K of the empirical distribution
    forgy,    // K of the weights, drawn by `seed`
  };
  int clusters = 32;  // 1 to 65535
  Init init = Init::linear;
  int iterations = 1000;  // at most; stops where no weight changes its cluster
  uint64_t seed = 0;
};

struct SharedWeights {
  std::vector<float> centroids;  // ascending; K of them, none where all weights are zero
  std::vector<uint16_t> codes;   // for each weight 0 where it is zero, else 1 + its centroid
  int iterations = 0;            // that were done
};

// Cost: a radix sort of the nonzeros; 8 bytes a weight for the time.
// Throws Error::usage for a number of clusters out of range, Error::input for a weight that is NaN
// or infinite.
SharedWeights share_weights(std::span<const float> weights, const KMeansOptions& options);

// The weight that a code stands for.
inline float weight_of(const SharedWeights& shared, uint16_t code) {
  return code == 0 ? 0.0f : shared.centroids[code - 1u];
}

}  // namespace coppice
