// Products with a constant matrix: Gemm and MatMul as oneDNN inner products, whose weights are
// packed once. y [M, N] = x [M, K] W [N, K]' + b.
//
// A MatMul on more than two axes is the same product with all leading axes taken as M.

#include <algorithm>

#include "core/error.h"
#include "graph/passes/fuse_batch_norm.h"
#include "runtime/kernels/products.h"

namespace coppice::runtime {
namespace {

using dnnl::inner_product_forward;
using dnnl::memory;

Description any_layout(int64_t rows, int64_t columns) {
  return {memory::dims{rows, columns}, memory::data_type::f32, memory::format_tag::any};
}

std::optional<inner_product_forward::primitive_desc> create(
    const Lowering& lowering, const MatrixProduct& product,
    const dnnl::primitive_attr& attributes) {
  return try_create([&] {
    const auto make = [&](const auto&... bias) {
      return onednn::describe<inner_product_forward>(
          lowering.engine(), attributes, dnnl::prop_kind::forward_inference,
          plain_description({product.rows, product.inner}),
          any_layout(product.columns, product.inner), bias...,
          plain_description({product.rows, product.columns}));
    };
    return product.bias ? make(plain_description({product.columns})) : make();
  });
}

}  // namespace

bool lower_product(Lowering& lowering, const Layer& layer, const MatrixProduct& product) {
  if (lower_sparse_product(lowering, layer, product)) return true;
  const Node& node = lowering.node(layer);
  const Description result = plain_description({product.rows, product.columns});
  const FusedOps fused = fuse_operations(lowering, layer, result, node.inputs, Sum::never);
  const auto primitive = create(lowering, product, fused.attributes);
  if (!primitive) return false;

  std::vector<std::pair<int, Location>> arguments = fused.arguments;
  const Location x = lowering.plain(node.inputs[0]);
  arguments.emplace_back(DNNL_ARG_SRC,
                         Location{x.buffer, plain_description({product.rows, product.inner})});
  arguments.emplace_back(DNNL_ARG_WEIGHTS, lowering.pack(product.weight, product.weight_description,
                                                         primitive->weights_desc()));
  if (product.bias) arguments.emplace_back(DNNL_ARG_BIAS, lowering.pack(*product.bias));
  const Location y = lowering.place(layer.output, plain_description(lowering.shape(layer.output)));
  arguments.emplace_back(DNNL_ARG_DST, Location{y.buffer, result});
  lowering.add_primitive(*primitive, inner_product_forward(*primitive), std::move(arguments));
  const int64_t nonzeros = count_nonzeros(product.weight);
  lowering.set_work({"dense", product.weight.size(), nonzeros,
                     static_cast<double>(nonzeros) * static_cast<double>(product.rows)});
  return true;
}

}  // namespace coppice::runtime
