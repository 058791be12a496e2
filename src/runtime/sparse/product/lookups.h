// The inner loops of sparse products (product.h), one for each set of vector instructions: the sums
// of one group of outputs, whose inputs are looked up in registers, a window at a time.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/sparse/tiles.h"

namespace coppice::runtime {

struct LookupJob {
  const float* x;  // as many as the windows reach
  const uint8_t* places;
  const float* weights;
  const uint16_t* steps;  // by window
  int64_t windows;
  float* sums;  // one a lane
};

inline constexpr int kMostLanes = 16;
struct LookupLoop {
  int lanes, window, stride;  // from one window to the next
  void (*run)(const LookupJob&);
};

const LookupLoop& portable_lookups();
// Null where they weren't compiled.
const LookupLoop* avx2_lookups();
const LookupLoop* avx512_lookups();

const LookupLoop& lookup_loop_of(Isa isa);

}  // namespace coppice::runtime
