// Lookups for any processor: in memory, four outputs at a time. And which loop an instruction set
// has.

#include "runtime/sparse/product/lookups.h"
// After what it uses.
#include "runtime/sparse/product/lookup_loop.h"

namespace coppice::runtime {
namespace {

class Window {
 public:
  static constexpr int kLanes = 4, kWindow = 256, kStride = 128;
  struct Type {
    float v[kLanes];
  };
  explicit Window(const float* x) : x_(x) {}
  static Type zero() { return {}; }
  static Type add(const Type& a, const Type& b) {
    return {{a.v[0] + b.v[0], a.v[1] + b.v[1], a.v[2] + b.v[2], a.v[3] + b.v[3]}};
  }
  static void store(float* p, const Type& a) {
    for (int l = 0; l < kLanes; ++l) p[l] = a.v[l];
  }
  Type add_product(const uint8_t* places, const float* weights, Type sum) const {
    for (int l = 0; l < kLanes; ++l) sum.v[l] += weights[l] * x_[places[l]];
    return sum;
  }

 private:
  const float* x_;
};

constexpr LookupLoop kLoop{Window::kLanes, Window::kWindow, Window::kStride, look_up<Window>};

}  // namespace

const LookupLoop& portable_lookups() { return kLoop; }

const LookupLoop& lookup_loop_of(Isa isa) {
  switch (isa) {
    case Isa::portable: break;
    case Isa::avx2:
    case Isa::avx512_half: return *avx2_lookups();
    case Isa::avx512: return *avx512_lookups();
  }
  return portable_lookups();
}

}  // namespace coppice::runtime
