// Seeded random numbers that are the same on every machine and with every standard library.
//
// The generator is SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
// Generators", OOPSLA 2014); `stream` derives an independent generator from a seed and any number
// of keys, so that what is drawn for (epoch, image) or for a tensor never depends on what was drawn
// before it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace coppice {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  static Random stream(uint64_t seed, std::initializer_list<uint64_t> keys);

  uint64_t next();
  uint64_t below(uint64_t bound);  // uniform in [0, bound), without bias; requires bound > 0
  double uniform();                // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal();  // mean 0, standard deviation 1 (Box-Muller)

  void fill_normal(std::span<float> values, float deviation);
  void fill_uniform(std::span<float> values, float low, float high);
  std::vector<int64_t> permutation(int64_t count);

 private:
  uint64_t state_;
};

}  // namespace coppice
