// See lower.h, and lowerings.h for the helpers.
#include "libtorch/lower/lower.h"

#include "core/error.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {

bool LowerContext::has(int input) const { return input < inputs() && in(input) != kNoValue; }

const Tensor* LowerContext::known(int input) const {
  if (!has(input)) return nullptr;
  const Tensor* value = known_value(graph_, inferred_, in(input));
  if (!value) {
    fail("input '" + graph_.value(in(input)).name +
         "' decides how it computes and is known only at run time; make it a constant");
  }
  return value;
}

std::vector<int64_t> LowerContext::still_channels(int scale) const {
  const auto found = still_.find(graph_.value(in(scale)).name);
  return found == still_.end() ? std::vector<int64_t>() : found->second;
}

void LowerContext::fail(const std::string& message) const {
  fail_input(where(graph_, *node_) + ": can't be trained: " + message);
}

double number_of(const LowerContext& context, const Tensor& tensor, const std::string& what) {
  if (tensor.size() != 1) {
    context.fail(what + " has " + std::to_string(tensor.size()) + " elements, expected one number");
  }
  if (tensor.dtype() == DType::f32) return tensor.as<float>()[0];
  if (tensor.dtype() == DType::f64) return tensor.as<double>()[0];
  if (is_floating(tensor.dtype())) {
    context.fail(what + " is " + name_of(tensor.dtype()) + ", expected float32");
  }
  return static_cast<double>(to_int64s(tensor)[0]);
}

std::vector<int64_t> last_axis_first(const std::vector<int64_t>& begin,
                                     const std::vector<int64_t>& end) {
  std::vector<int64_t> pads;
  for (size_t axis = begin.size(); axis-- > 0;) {
    pads.push_back(begin[axis]);
    pads.push_back(end[axis]);
  }
  return pads;
}

}  // namespace coppice::train
