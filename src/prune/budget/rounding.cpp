// See rounding.h.
#include "prune/budget/rounding.h"

#include <numeric>

namespace coppice {

int64_t rounding_step(const Group& group, int64_t round_to, int64_t kept) {
  const auto per_unit = static_cast<int64_t>(group.slices.front().indices.front().size());
  int64_t multiple = round_to;
  if (multiple == kRoundAuto) {
    multiple = group.units() * per_unit < 8 ? 1 : kept * per_unit >= 128 ? 16 : 8;
  }
  return multiple / std::gcd(multiple, per_unit);
}

}  // namespace coppice
