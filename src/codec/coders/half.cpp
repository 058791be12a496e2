// See half.h.
#include "codec/coders/half.h"

#include <bit>

namespace coppice::codec {

uint32_t float_of_half(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, exponent = half >> 10 & 31,
                 mantissa = half & 1023;
  if (exponent == 31) return sign | 0x7f800000 | mantissa << 13;
  if (exponent > 0) return sign | (exponent + 112) << 23 | mantissa << 13;
  return sign | std::bit_cast<uint32_t>(static_cast<float>(mantissa) * 0x1p-24f);
}

std::optional<uint16_t> half_of_float(uint32_t pattern) {
  const uint32_t sign = pattern >> 16 & 0x8000, exponent = pattern >> 23 & 255,
                 mantissa = pattern & 0x7fffff;
  uint32_t half = sign;
  if (exponent == 255) {
    half |= 0x7c00 | mantissa >> 13;
  } else if (exponent >= 113 && exponent <= 142) {
    half |= (exponent - 112) << 10 | mantissa >> 13;
  } else if (exponent >= 103 && exponent < 113) {  // subnormal: multiples of 2^-24
    half |= (mantissa | 0x800000) >> (126 - exponent);
  }
  const auto result = static_cast<uint16_t>(half);
  if (float_of_half(result) != pattern) return std::nullopt;
  return result;
}

}  // namespace coppice::codec
