#include "deployed/outputs.h"

#include <algorithm>
#include <cmath>

namespace coppice {
namespace {

double apart(const Tensor& ours, const Tensor& theirs, double floor) {
  if (ours.shape() != theirs.shape() || ours.dtype() != theirs.dtype()) return INFINITY;
  if (ours.dtype() != DType::f32) return ours == theirs ? 0 : INFINITY;
  double largest = floor, off = 0;
  for (int64_t i = 0; i < ours.size(); ++i) {
    const double a = ours.as<float>()[i], b = theirs.as<float>()[i];
    if (!std::isfinite(a) || !std::isfinite(b)) return INFINITY;
    largest = std::max(largest, std::fabs(a));
    off = std::max(off, std::fabs(a - b));
  }
  return off == 0 ? 0 : off / largest;
}

}  // namespace

double difference(const std::vector<NamedTensor>& ours, const std::vector<NamedTensor>& theirs,
                  double floor) {
  double worst = 0;
  for (const NamedTensor& output : ours) {
    double nearest = INFINITY;
    for (const NamedTensor& other : theirs) {
      nearest = std::min(nearest, apart(output.tensor, other.tensor, floor));
    }
    worst = std::max(worst, nearest);
  }
  return worst;
}

}  // namespace coppice
