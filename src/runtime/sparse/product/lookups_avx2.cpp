// Lookups for AVX2 with FMA: eight outputs at a time, 32 inputs in four registers.

#include "runtime/sparse/product/lookups.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "runtime/sparse/compiled_for/avx2.h"
#include "runtime/sparse/product/lookup_loop.h"

namespace coppice::runtime {
namespace {

class Window {
 public:
  static constexpr int kLanes = 8, kWindow = 32, kStride = 16;
  using Type = __m256;
  explicit Window(const float* x)
      : a_(_mm256_loadu_ps(x)),
        b_(_mm256_loadu_ps(x + 8)),
        c_(_mm256_loadu_ps(x + 16)),
        d_(_mm256_loadu_ps(x + 24)) {}
  static Type zero() { return _mm256_setzero_ps(); }
  static Type add(Type a, Type b) { return _mm256_add_ps(a, b); }
  static void store(float* p, Type a) { _mm256_storeu_ps(p, a); }
  Type add_product(const uint8_t* places, const float* weights, Type sum) const {
    const __m256i at =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(places)));
    // Each register by the lowest three bits; bits 3 and 4, where a blend looks, say which.
    const __m256 third = _mm256_castsi256_ps(_mm256_slli_epi32(at, 28)),
                 fourth = _mm256_castsi256_ps(_mm256_slli_epi32(at, 27));
    const __m256 low = _mm256_blendv_ps(_mm256_permutevar8x32_ps(a_, at),
                                        _mm256_permutevar8x32_ps(b_, at), third),
                 high = _mm256_blendv_ps(_mm256_permutevar8x32_ps(c_, at),
                                         _mm256_permutevar8x32_ps(d_, at), third);
    return _mm256_fmadd_ps(_mm256_blendv_ps(low, high, fourth), _mm256_loadu_ps(weights), sum);
  }

 private:
  __m256 a_, b_, c_, d_;
};

constexpr LookupLoop kLoop{Window::kLanes, Window::kWindow, Window::kStride, look_up<Window>};

}  // namespace
}  // namespace coppice::runtime

#include "runtime/sparse/compiled_for/any.h"

namespace coppice::runtime {
const LookupLoop* avx2_lookups() { return &kLoop; }
}  // namespace coppice::runtime

#else
namespace coppice::runtime {
const LookupLoop* avx2_lookups() { return nullptr; }
}  // namespace coppice::runtime
#endif
