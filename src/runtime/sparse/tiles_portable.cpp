// Tiles for any processor: four floats a vector, which compilers turn into what there is.

#include <cstring>
#include <utility>

#include "runtime/sparse/tiles.h"
// After what it uses.
#include "runtime/sparse/tile_loops.h"

namespace coppice::runtime {
namespace {

struct FourFloats {
  static constexpr int kLanes = 4;
  struct Type {
    float v[4];
  };
  template <class F>
  static Type each(F f) {
    return {{f(0), f(1), f(2), f(3)}};
  }
  static Type load(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
  static void store(float* p, const Type& a) { std::memcpy(p, a.v, sizeof(a.v)); }
  static Type all(float a) { return {{a, a, a, a}}; }
  static Type add(const Type& a, const Type& b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  static Type mul(const Type& a, const Type& b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  static Type fma(const Type& a, const Type& b, const Type& c) {
    return each([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
  }
  static Type max(const Type& a, const Type& b) {
    return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  static Type min(const Type& a, const Type& b) {
    return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
  }
  static Type evens(const float* p) { return {{p[0], p[2], p[4], p[6]}}; }
  static Type masked(const Type& a, const uint32_t* mask) {
    return each([&](int i) { return mask[i] ? a.v[i] : 0.0f; });
  }
};

}  // namespace

const TileSet& portable_tiles() {
  static constexpr TileSet set = tile_set<FourFloats, 8, 4, 2>();
  return set;
}

}  // namespace coppice::runtime
