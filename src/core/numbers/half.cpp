#include "core/numbers/half.h"

#include <bit>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/threads.h"

namespace coppice {
namespace {

constexpr uint32_t kSign = 0x80000000u, kInfinity = 0x7f800000u;
constexpr uint16_t kMost16 = 0x7bff, kMostB16 = 0x7f7f;  // the largest finite ones

uint32_t bits_of_f16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  uint32_t exponent = (half >> 10) & 0x1fu, fraction = half & 0x3ffu;
  if (exponent == 0x1f) return sign | kInfinity | fraction << 13;
  if (exponent == 0) {
    if (fraction == 0) return sign;
    // A number below the normal ones is a normal float.
    exponent = 1;
    while ((fraction & 0x400u) == 0) {
      fraction <<= 1;
      --exponent;
    }
    fraction &= 0x3ffu;
  }
  return sign | (exponent + 112) << 23 | fraction << 13;
}

uint16_t f16_of_bits(uint32_t bits) {
  const auto sign = static_cast<uint16_t>((bits & kSign) >> 16);
  const uint32_t rest = bits & ~kSign;
  if (rest > kInfinity) {  // NaN
    const auto payload = static_cast<uint16_t>((rest >> 13) & 0x3ffu);
    return static_cast<uint16_t>(sign | 0x7c00u | (payload == 0 ? 1 : payload));
  }
  if (rest == kInfinity) return static_cast<uint16_t>(sign | 0x7c00u);
  if (rest >= 0x477ff000u) return static_cast<uint16_t>(sign | kMost16);  // rounds beyond 65504
  if (rest < 0x38800000u) {  // below the normal halves: multiples of 2^-24
    const float scaled = std::bit_cast<float>(rest) * 16777216.0f;
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(scaled)));
  }
  const uint32_t rounded = rest + 0xfffu + ((rest >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
}

uint16_t bf16_of_bits(uint32_t bits) {
  const auto sign = static_cast<uint16_t>((bits & kSign) >> 16);
  const uint32_t rest = bits & ~kSign;
  if (rest > kInfinity) {
    const uint32_t payload = (rest >> 16) & 0x7fu;
    return static_cast<uint16_t>(sign | 0x7f80u | (payload == 0 ? 1 : payload));
  }
  const uint32_t rounded = rest + 0x7fffu + ((rest >> 16) & 1u);
  if (rest < kInfinity && rounded >= kInfinity) return static_cast<uint16_t>(sign | kMostB16);
  return static_cast<uint16_t>(sign | rounded >> 16);
}

// All of them once: looking up is far faster than taking apart.
const std::vector<float>& table_of_f16() {
  static const std::vector<float> table = [] {
    std::vector<float> floats(65536);
    for (uint32_t half = 0; half < floats.size(); ++half) {
      floats[half] = std::bit_cast<float>(bits_of_f16(static_cast<uint16_t>(half)));
    }
    return floats;
  }();
  return table;
}

constexpr int64_t kGrain = 65536;  // elements from which another thread is worth it

}  // namespace

float float_of(uint16_t half, DType type) {
  return std::bit_cast<float>(type == DType::f16 ? bits_of_f16(half)
                                                 : static_cast<uint32_t>(half) << 16);
}

uint16_t half_of(float number, DType type) {
  const auto bits = std::bit_cast<uint32_t>(number);
  return type == DType::f16 ? f16_of_bits(bits) : bf16_of_bits(bits);
}

Tensor widened(const Tensor& halves) {
  COPPICE_CHECK(is_half(halves.dtype()), "widens halves alone");
  Tensor result = Tensor::zeros(DType::f32, halves.shape());
  const auto* from = reinterpret_cast<const uint16_t*>(halves.bytes().data());
  float* to = result.mutate<float>().data();
  const float* table = halves.dtype() == DType::f16 ? table_of_f16().data() : nullptr;
  parallel_for(result.size(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      to[i] = table ? table[from[i]] : std::bit_cast<float>(static_cast<uint32_t>(from[i]) << 16);
    }
  });
  return result;
}

Tensor narrowed(const Tensor& floats, DType type) {
  Tensor result = Tensor::zeros(type, floats.shape());
  const float* from = floats.as<float>().data();
  auto* to = reinterpret_cast<uint16_t*>(result.mutate_bytes().data());
  parallel_for(result.size(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = half_of(from[i], type);
  });
  return result;
}

}  // namespace coppice
