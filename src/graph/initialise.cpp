// One function an initialisation; formulas and sources stand in the header. A kernel of any size
// counts with its fans: fan-in is what one output element sums over, fan-out what one input element
// goes to (for a convolution in groups, both as Caffe and PyTorch count them).

#include "zoo/initialise.h"

#include <cmath>

namespace coppice {
namespace {

double fan_in(const Shape& weight) {
  return static_cast<double>(element_count({weight.begin() + 1, weight.end()}));
}

double fan_out(const Shape& weight) {
  return static_cast<double>(weight[0] * element_count({weight.begin() + 2, weight.end()}));
}

}  // namespace

void he_fan_in(Random& random, const Shape& weight, std::span<float> elements) {
  random.fill_normal(elements, static_cast<float>(std::sqrt(2 / fan_in(weight))));
}

void he_fan_out(Random& random, const Shape& weight, std::span<float> elements) {
  random.fill_normal(elements, static_cast<float>(std::sqrt(2 / fan_out(weight))));
}

void caffe_xavier(Random& random, const Shape& weight, std::span<float> elements) {
  const auto bound = static_cast<float>(std::sqrt(3 / fan_in(weight)));
  random.fill_uniform(elements, -bound, bound);
}

void normal_0_01(Random& random, const Shape&, std::span<float> elements) {
  random.fill_normal(elements, 0.01f);
}

void truncated_normal_0_09(Random& random, const Shape&, std::span<float> elements) {
  for (float& element : elements) {
    double drawn = random.normal();
    while (std::abs(drawn) > 2) drawn = random.normal();
    element = static_cast<float>(0.09 * drawn);
  }
}

}  // namespace coppice
