// Tiles for AVX-512: 16 floats a vector, 32 registers.

#include <utility>

#include "runtime/sparse/tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "runtime/sparse/compiled_for/avx512.h"
#include "runtime/sparse/tile_loops.h"

namespace coppice::runtime {
namespace {

struct Vector {
  static constexpr int kLanes = 16;
  using Type = __m512;
  static Type load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Type a) { _mm512_storeu_ps(p, a); }
  static Type all(float a) { return _mm512_set1_ps(a); }
  static Type add(Type a, Type b) { return _mm512_add_ps(a, b); }
  static Type mul(Type a, Type b) { return _mm512_mul_ps(a, b); }
  static Type fma(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
  static Type max(Type a, Type b) { return _mm512_max_ps(a, b); }
  static Type min(Type a, Type b) { return _mm512_min_ps(a, b); }
  static Type evens(const float* p) {
    const __m512i at = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_ps(load(p), at, load(p + 16));
  }
  static Type masked(Type a, const uint32_t* mask) {
    const auto bits = _mm512_loadu_si512(static_cast<const void*>(mask));
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), bits));
  }
};

constexpr TileSet kTiles = tile_set<Vector, 16, 10, 6>();

}  // namespace
}  // namespace coppice::runtime

#include "runtime/sparse/compiled_for/any.h"

namespace coppice::runtime {
const TileSet* avx512_tiles() { return &kTiles; }
}  // namespace coppice::runtime

#else
namespace coppice::runtime {
const TileSet* avx512_tiles() { return nullptr; }
}  // namespace coppice::runtime
#endif
