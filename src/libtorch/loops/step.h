// One step of an optimizer over plain numbers, each by itself: the same numbers wherever it stands,
// on every machine, so that equal weights with equal gradients stay equal.
//
//   g  <- g + decay w + l1 sign(w)
//   sgd    v <- momentum v + g;  w <- w - rate (of_gradient g + of_velocity v)
//   adam   m <- beta1 m + (1 - beta1) g;  s <- beta2 s + (1 - beta2) g^2
//          w <- w - rate m / (sqrt(s) / correction + epsilon)
#pragma once

#include <cstdint>

namespace coppice::train {

struct Numbers {
  float* weight;
  const float* gradient;
  float* slots[2];  // null where the optimizer has none
  int64_t count;
};

struct Factors {
  float decay, l1, rate;
  float momentum, of_gradient, of_velocity;               // sgd
  float beta1, rest1, beta2, rest2, correction, epsilon;  // adam
};

// By Adam where there are two slots, with momentum where there is one.
void step(const Numbers& numbers, const Factors& factors);

// Zeroes weights and slots where `pruned` says so.
void zero_pruned(const Numbers& numbers, const bool* pruned);
// `to` is `from`, or apart from it, with zeros where `pruned` says so.
void copy_kept(const float* from, const bool* pruned, float* to, int64_t count);

}  // namespace coppice::train
