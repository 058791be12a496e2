// Eight floats a vector, for every instruction set that has AVX2 and FMA. Not a header to include
// by itself: it is compiled for the instruction set of who includes it (tiles_avx2.cpp).

namespace coppice::runtime {
namespace {

struct Vector {
  static constexpr int kLanes = 8;
  using Type = __m256;
  static Type load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Type a) { _mm256_storeu_ps(p, a); }
  static Type all(float a) { return _mm256_set1_ps(a); }
  static Type add(Type a, Type b) { return _mm256_add_ps(a, b); }
  static Type mul(Type a, Type b) { return _mm256_mul_ps(a, b); }
  static Type fma(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
  static Type max(Type a, Type b) { return _mm256_max_ps(a, b); }
  static Type min(Type a, Type b) { return _mm256_min_ps(a, b); }
  static Type evens(const float* p) {
    const __m256 pairs = _mm256_shuffle_ps(load(p), load(p + 8), 0x88);
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(pairs), 0xd8));
  }
  static Type masked(Type a, const uint32_t* mask) {
    const auto bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask));
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(a), bits));
  }
};

}  // namespace
}  // namespace coppice::runtime
