// Lookups for AVX-512: 16 outputs at a time, 128 inputs in eight registers.

#include "runtime/sparse/product/lookups.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "runtime/sparse/compiled_for/avx512.h"
#include "runtime/sparse/product/lookup_loop.h"

namespace coppice::runtime {
namespace {

class Window {
 public:
  static constexpr int kLanes = 16, kWindow = 128, kStride = 64;
  using Type = __m512;
  explicit Window(const float* x)
      : a_(_mm512_loadu_ps(x)),
        b_(_mm512_loadu_ps(x + 16)),
        c_(_mm512_loadu_ps(x + 32)),
        d_(_mm512_loadu_ps(x + 48)),
        e_(_mm512_loadu_ps(x + 64)),
        f_(_mm512_loadu_ps(x + 80)),
        g_(_mm512_loadu_ps(x + 96)),
        h_(_mm512_loadu_ps(x + 112)) {}
  static Type zero() { return _mm512_setzero_ps(); }
  static Type add(Type a, Type b) { return _mm512_add_ps(a, b); }
  static void store(float* p, Type a) { _mm512_storeu_ps(p, a); }
  Type add_product(const uint8_t* places, const float* weights, Type sum) const {
    const __m512i at =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(places)));
    // Each pair of registers by the lowest five bits; bits 5 and 6 say which pair.
    const __mmask16 fifth = _mm512_test_epi32_mask(at, _mm512_set1_epi32(32)),
                    sixth = _mm512_test_epi32_mask(at, _mm512_set1_epi32(64));
    const __m512 low = _mm512_mask_blend_ps(fifth, _mm512_permutex2var_ps(a_, at, b_),
                                            _mm512_permutex2var_ps(c_, at, d_));
    const __m512 high = _mm512_mask_blend_ps(fifth, _mm512_permutex2var_ps(e_, at, f_),
                                             _mm512_permutex2var_ps(g_, at, h_));
    return _mm512_fmadd_ps(_mm512_mask_blend_ps(sixth, low, high), _mm512_loadu_ps(weights), sum);
  }

 private:
  __m512 a_, b_, c_, d_, e_, f_, g_, h_;
};

constexpr LookupLoop kLoop{Window::kLanes, Window::kWindow, Window::kStride, look_up<Window>};

}  // namespace
}  // namespace coppice::runtime

#include "runtime/sparse/compiled_for/any.h"

namespace coppice::runtime {
const LookupLoop* avx512_lookups() { return &kLoop; }
}  // namespace coppice::runtime

#else
namespace coppice::runtime {
const LookupLoop* avx512_lookups() { return nullptr; }
}  // namespace coppice::runtime
#endif
