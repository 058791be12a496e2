// Picking and putting by tables of indices: GatherElements, GatherND, ScatterElements, Scatter and
// TensorScatter. Places that are known only at run time can't shrink, so but for TensorScatter,
// which writes along one axis, what they read stays as it is.

#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_gather_elements(InferContext& context) {
  if (context.rank(0) != context.rank(1)) context.fail("data and indices have different ranks");
  context.set(0, context.type(0).dtype, context.shape(1));
}

void infer_gather_nd(InferContext& context) {
  const int64_t batch = context.node().attributes.integer("batch_dims", 0);
  const Shape &data = context.shape(0), &indices = context.shape(1);
  if (indices.empty() || batch + indices.back() > context.rank(0) || batch >= context.rank(1)) {
    context.fail("indices " + to_string(indices) + " don't fit data " + to_string(data));
  }
  Shape out(indices.begin(), indices.end() - 1);
  out.insert(out.end(), data.begin() + batch + indices.back(), data.end());
  context.set(0, context.type(0).dtype, out);
}

int64_t written_axis(const Graph& graph, const Node& node, int64_t rank) {
  return resolve_axis(graph, node, node.attributes.integer("axis", -2), rank);
}

void infer_tensor_scatter(InferContext& context) {
  if (context.rank(0) != context.rank(1)) context.fail("past and update have different ranks");
  infer_same(context);
}

void relate_tensor_scatter(Relations& relations) {
  const int64_t rank = relations.rank(0);
  const int64_t written = written_axis(relations.graph(), relations.node(), rank);
  for (int64_t axis = 0; axis < rank; ++axis) {
    const Axis& past = relations.input(0, axis);
    if (axis == written) {
      for (const int input : {0, 1}) {
        relations.pin(relations.input(input, axis), PinKind::meaning, "written at a place");
      }
    } else {
      relations.unify(past, relations.input(1, axis), "TensorScatter");
    }
    relations.output(0, axis, past,
                     relations.zero_when_dead(0, axis) && relations.zero_when_dead(1, axis));
  }
}

OpDef puts(const char* type, int inputs, void (*infer)(InferContext&)) {
  return {.type = type,
          .arity = {inputs, inputs},
          .reads = {Reads::data},
          .trains = false,
          .infer = infer};
}

}  // namespace

extern const OpDef kGatherElements = puts("GatherElements", 2, infer_gather_elements);
extern const OpDef kGatherND = puts("GatherND", 2, infer_gather_nd);
extern const OpDef kScatter = puts("Scatter", 3, infer_same);
extern const OpDef kScatterElements = puts("ScatterElements", 3, infer_same);
extern const OpDef kTensorScatter{.type = "TensorScatter",
                                  .arity = {2, 3},
                                  .reads = {Reads::data, Reads::data, Reads::setting},
                                  .trains = false,
                                  .infer = infer_tensor_scatter,
                                  .relate = relate_tensor_scatter};

}  // namespace coppice
