// Gemm: an inner product where B is constant, else (and for a transposed A) a oneDNN matmul.

#include "graph/passes/fuse_batch_norm.h"
#include "runtime/kernels/products.h"

namespace coppice::runtime {
namespace {

struct Operands {
  bool trans_a, trans_b, has_c;
  double alpha, beta;
  int64_t rows, inner, columns;
};

Operands operands_of(const Lowering& lowering, const Node& node) {
  Operands o{};
  o.trans_a = node.attributes.integer("transA", 0) != 0;
  o.trans_b = node.attributes.integer("transB", 0) != 0;
  o.has_c = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  o.alpha = node.attributes.real("alpha", 1);
  o.beta = node.attributes.real("beta", 1);
  const Shape &a = lowering.shape(node.inputs[0]), &b = lowering.shape(node.inputs[1]);
  o.rows = a[o.trans_a ? 1 : 0];
  o.inner = a[o.trans_a ? 0 : 1];
  o.columns = b[o.trans_b ? 0 : 1];
  return o;
}

// beta * C as one number a column. Nothing where C isn't constant or differs by row.
std::optional<Tensor> bias_of(const Lowering& lowering, const Node& node, const Operands& o) {
  const Tensor* c = lowering.constant(node.inputs[2]);
  if (!c || c->dtype() != DType::f32) return std::nullopt;
  const bool by_column =
      c->size() == o.columns && !c->shape().empty() && c->shape().back() == o.columns;
  if (c->size() != 1 && !by_column) return std::nullopt;
  Tensor bias = Tensor::zeros(DType::f32, {o.columns});
  const auto values = bias.mutate<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(o.beta * c->as<float>()[c->size() == 1 ? 0 : i]);
  }
  return bias;
}

Description matrix(int64_t rows, int64_t columns, bool transposed) {
  return transposed ? strided_description({rows, columns}, {1, rows})
                    : plain_description({rows, columns});
}

bool lower_constant(Lowering& lowering, const Layer& layer, const Operands& o) {
  const Node& node = lowering.node(layer);
  // W [N, K] is B itself when it is given transposed.
  MatrixProduct product{o.rows,
                        o.inner,
                        o.columns,
                        *lowering.constant(node.inputs[1]),
                        matrix(o.columns, o.inner, !o.trans_b),
                        std::nullopt};
  if (layer.batch_norm >= 0) {
    AffineWeights folded =
        fold_batch_norm(lowering.graph(), node, lowering.graph().nodes[layer.batch_norm]);
    product.weight = std::move(folded.weight);
    product.bias = std::move(folded.bias);
  } else if (o.has_c) {
    product.bias = bias_of(lowering, node, o);
    if (!product.bias) return false;
  }
  if (o.alpha != 1) {
    for (float& w : product.weight.mutate<float>()) w = static_cast<float>(o.alpha * w);
  }
  return lower_product(lowering, layer, product);
}

// Both operands are computed; alpha scales the product before what follows.
bool lower_computed(Lowering& lowering, const Layer& layer, const Operands& o) {
  const Node& node = lowering.node(layer);
  if (layer.batch_norm >= 0) return false;
  std::optional<Tensor> bias;
  if (o.has_c && !(bias = bias_of(lowering, node, o))) return false;
  if (o.alpha != 1 && bias) return false;
  const Description a = matrix(o.rows, o.inner, o.trans_a),
                    b = matrix(o.inner, o.columns, o.trans_b);
  const Description y = plain_description({o.rows, o.columns});
  const FusedOps fused =
      fuse_operations(lowering, layer, y, node.inputs, Sum::never, static_cast<float>(o.alpha));
  const auto primitive = try_create([&] {
    const auto make = [&](const auto&... more) {
      return onednn::describe<dnnl::matmul>(lowering.engine(), fused.attributes, a, b, more..., y);
    };
    return bias ? make(plain_description({1, o.columns})) : make();
  });
  if (!primitive) return false;
  auto arguments = fused.arguments;
  arguments.emplace_back(DNNL_ARG_SRC, Location{lowering.plain(node.inputs[0]).buffer, a});
  arguments.emplace_back(DNNL_ARG_WEIGHTS, Location{lowering.plain(node.inputs[1]).buffer, b});
  if (bias) {
    arguments.emplace_back(DNNL_ARG_BIAS, lowering.pack(bias->reshaped({1, o.columns})));
  }
  arguments.emplace_back(DNNL_ARG_DST, lowering.place(layer.output, y));
  lowering.add_primitive(*primitive, dnnl::matmul(*primitive), std::move(arguments));
  return true;
}

}  // namespace

bool lower_gemm(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  for (size_t i = 0; i < 2; ++i) {
    if (!lowering.describable(node.inputs[i])) return false;
  }
  if (!lowering.describable(layer.output)) return false;
  const Operands o = operands_of(lowering, node);
  const bool constant = lowering.constant(node.inputs[1]) != nullptr && !o.trans_a;
  return constant ? lower_constant(lowering, layer, o) : lower_computed(lowering, layer, o);
}

}  // namespace coppice::runtime
