// Trilu and EyeLike: matrices of which a triangle, or the diagonal, stays. A place in the matrix
// means something; any axis before the last two passes.

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_trilu(InferContext& context) {
  if (context.rank(0) < 2) {
    context.fail("input has shape " + to_string(context.shape(0)) + ", expected rank 2 or more");
  }
  infer_same(context);
}

void relate_trilu(Relations& relations) {
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (axis >= relations.rank(0) - 2) {
      relations.pin(relations.input(0, axis), PinKind::meaning, "a triangle of it stays");
    }
    relations.output(0, axis, relations.input(0, axis), relations.zero_when_dead(0, axis));
  }
}

std::vector<Tensor> evaluate_trilu(const Graph& graph, const Node& node,
                                   std::span<const Tensor* const> inputs) {
  Tensor output = *inputs[0];
  const bool upper = node.attributes.integer("upper", 1) != 0;
  const Tensor* given = inputs.size() > 1 ? inputs[1] : nullptr;
  const auto diagonal = static_cast<int64_t>(given ? scalar_of(graph, node, *given) : 0);
  const size_t width = size_of(output.dtype());
  const int64_t rows = output.shape()[output.rank() - 2], columns = output.shape().back();
  if (output.size() == 0) return {std::move(output)};
  std::byte* element = output.mutate_bytes().data();
  for (int64_t i = 0; i < output.size(); ++i, element += width) {
    const int64_t off = i % columns - i / columns % rows;
    if (upper ? off < diagonal : off > diagonal) std::memset(element, 0, width);
  }
  return {std::move(output)};
}

void infer_eye(InferContext& context) {
  context.set(0, type_attribute(context.node(), "dtype", context.type(0).dtype), context.shape(0));
}

}  // namespace

extern const OpDef kTrilu{.type = "Trilu",
                          .arity = {1, 2},
                          .reads = {Reads::data, Reads::setting},
                          .trains = false,
                          .infer = infer_trilu,
                          .relate = relate_trilu,
                          .evaluate = evaluate_trilu};
extern const OpDef kEyeLike{.type = "EyeLike",
                            .arity = {1, 1},
                            .reads = {Reads::data},
                            .trains = false,
                            .infer = infer_eye,
                            .passes_gradient = no_gradient};

}  // namespace coppice
