// The loop behind a LookupLoop, over a window V of inputs that lie in registers. Included by one
// file an instruction set, each of which compiles it for its own (tile_loops.h says why).

namespace coppice::runtime {
namespace {

template <class V>
void look_up(const LookupJob& job) {
  // Two sums, so that one needn't wait for the other.
  typename V::Type even = V::zero(), odd = V::zero();
  const uint8_t* places = job.places;
  const float* weights = job.weights;
  for (int64_t w = 0; w < job.windows; ++w) {
    int steps = job.steps[w];
    if (steps == 0) continue;
    const V window(job.x + w * V::kStride);
    for (; steps > 1; steps -= 2) {
      even = window.add_product(places, weights, even);
      odd = window.add_product(places + V::kLanes, weights + V::kLanes, odd);
      places += 2 * V::kLanes;
      weights += 2 * V::kLanes;
    }
    if (steps == 0) continue;
    even = window.add_product(places, weights, even);
    places += V::kLanes;
    weights += V::kLanes;
  }
  V::store(job.sums, V::add(even, odd));
}

}  // namespace
}  // namespace coppice::runtime
