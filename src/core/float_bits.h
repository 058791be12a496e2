// Floats by their bits, in an order: keys that ascend where the floats do, negative patterns
// reversed and below the positive ones. For patterns of `bits` bits, of which the highest is the
// sign (8, 16 and 32 are used).
#pragma once

#include <cstdint>

namespace coppice {

inline uint32_t all_ones(int bits) { return static_cast<uint32_t>((uint64_t{1} << bits) - 1); }

inline uint32_t order_key(uint32_t pattern, int bits) {
  const uint32_t sign = uint32_t{1} << (bits - 1);
  return pattern & sign ? ~pattern & all_ones(bits) : pattern | sign;
}

inline uint32_t pattern_of(uint32_t key, int bits) {
  const uint32_t sign = uint32_t{1} << (bits - 1);
  return key & sign ? key & ~sign : ~key & all_ones(bits);
}

}  // namespace coppice
