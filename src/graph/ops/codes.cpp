// See codes.h.
#include "graph/ops/codes.h"

#include "core/error.h"

namespace coppice {
namespace {

template <typename T>
Tensor coded(const Tensor& floats, double step, int64_t zero) {
  Tensor result = Tensor::zeros(dtype_of<T>, floats.shape());
  std::ranges::transform(floats.as<float>(), result.mutate<T>().begin(),
                         [&](float x) { return code_of<T>(x, step, static_cast<double>(zero)); });
  return result;
}

}  // namespace

Tensor codes_of(const Graph& graph, const Node& node, const Tensor& floats, double step,
                int64_t zero, DType type) {
  if (type == DType::u8) return coded<uint8_t>(floats, step, zero);
  if (type == DType::i8) return coded<int8_t>(floats, step, zero);
  fail_input(where(graph, node) + ": codes are " + name_of(type) +
             ", only int8 and uint8 can be run");
}

}  // namespace coppice
