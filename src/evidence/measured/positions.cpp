// Floyd's algorithm. (Bentley, Floyd: "A Sample of Brilliance", CACM 30, 1987.)

#include "evidence/measured/positions.h"

#include <algorithm>
#include <set>

#include "core/random.h"

namespace coppice {

std::vector<int64_t> sampled_positions(uint64_t seed, int64_t image, int64_t count,
                                       int64_t points) {
  Random random = Random::stream(seed, {static_cast<uint64_t>(image)});
  std::set<int64_t> chosen;
  for (int64_t last = std::max<int64_t>(0, count - points); last < count; ++last) {
    const auto drawn = static_cast<int64_t>(random.below(static_cast<uint64_t>(last) + 1));
    if (!chosen.insert(drawn).second) chosen.insert(last);
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace coppice
