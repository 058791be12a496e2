// Gemm: alpha * A' B' + beta * C, with A' = A or its transpose; rank 2 only (C broadcasts).

#include "graph/ops/gemm_layout.h"
#include "graph/ops/ops.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

void infer_gemm(InferContext& context) {
  const Shape &a = context.shape(0), &b = context.shape(1);
  if (a.size() != 2 || b.size() != 2) {
    context.fail("A has shape " + to_string(a) + ", B " + to_string(b) + "; expected rank 2");
  }
  const GemmLayout layout = gemm_layout(context.node());
  if (a[layout.a_inner] != b[layout.b_inner]) {
    const ValueId source = context.node().inputs[0];
    context.fail("weight expects " + std::to_string(b[layout.b_inner]) +
                 " input features, input '" + context.graph().value(source).name + "' has " +
                 std::to_string(a[layout.a_inner]));
  }
  const Shape out{a[layout.rows], b[layout.columns]};
  if (context.has(2) && broadcast(context.shape(2), out) != out) {
    context.fail("C has shape " + to_string(context.shape(2)) + ", which doesn't broadcast to " +
                 to_string(out));
  }
  context.set(0, context.type(0).dtype, out);
}

void relate_gemm(Relations& relations) {
  const GemmLayout layout = gemm_layout(relations.node());
  const Axis rows = relations.input(0, layout.rows), columns = relations.input(1, layout.columns);
  relations.role(1, layout.columns, Role::filter);
  relations.role(1, layout.b_inner, Role::input_channel);
  relate_contraction(relations, 0, layout.a_inner, 1, layout.b_inner, "input features of Gemm");
  bool zero = relations.zero_when_dead(1, layout.columns);
  if (relations.has_input(2)) {
    const int64_t last = relations.rank(2) - 1;
    if (last >= 0 && relations.input_shape(2)[last] == relations.output_shape(0)[1]) {
      relations.unify(columns, relations.input(2, last), "bias of Gemm");
      relations.role(2, last, Role::bias);
      zero = zero && relations.zero_when_dead(2, last);
    } else {
      zero = false;
    }
    if (last >= 1 && relations.input_shape(2)[0] == relations.output_shape(0)[0]) {
      relations.unify(rows, relations.input(2, 0), "rows of Gemm");
    }
  }
  relations.output(0, 0, rows, false);
  relations.output(0, 1, columns, zero);
}

int64_t macs_gemm(const Node& node, std::span<const Shape> inputs, std::span<const Shape> outputs) {
  return element_count(outputs[0]) * inputs[0][gemm_layout(node).a_inner];
}

LinearLayer linear_gemm(const Node& node, int weight) {
  const GemmLayout layout = gemm_layout(node);
  LinearLayer layer{.kind = LinearLayer::Kind::product,
                    .data = 1 - weight,
                    .weight = weight,
                    .bias = 2,
                    .outputs = layout.columns,
                    .inputs = layout.b_inner,
                    .channels = layout.a_inner,
                    .results = 1,
                    .scale = node.attributes.real("alpha", 1),
                    .bias_scale = node.attributes.real("beta", 1)};
  if (weight == 0) {
    layer.outputs = layout.rows;
    layer.inputs = layout.a_inner;
    layer.channels = layout.b_inner;
    layer.results = 0;
  }
  return layer;
}

}  // namespace

extern const OpDef kGemm{.type = "Gemm",
                         .arity = {2, 3},
                         .reads = {Reads::weight, Reads::weight, Reads::bias},
                         .infer = infer_gemm,
                         .relate = relate_gemm,
                         .macs = macs_gemm,
                         .linear = linear_gemm};

}  // namespace coppice
