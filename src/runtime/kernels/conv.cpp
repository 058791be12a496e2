// Conv as a oneDNN convolution, 1-D to 3-D, with a folded BatchNormalization and post-ops.
//
// Always the direct algorithm: Winograd's transforms lose two to three digits, and what is pruned
// is compared with what it was pruned from.

#include "core/error.h"
#include "graph/ops/ops.h"
#include "graph/passes/fuse_batch_norm.h"
#include "runtime/kernels/products.h"
#include "runtime/sparse/layer.h"

namespace coppice::runtime {
namespace {

using dnnl::convolution_forward;
using dnnl::memory;

memory::dims dims(const Shape& shape) { return {shape.begin(), shape.end()}; }

// `shape` in whatever layout suits the primitive.
Description any_layout(const Shape& shape) {
  return {dims(shape), memory::data_type::f32, memory::format_tag::any};
}

struct Geometry {
  Shape x, weight, output;  // weight: [G, O/G, I/G, K...] where grouped
  bool bias;
  Window window;
};

std::optional<Geometry> geometry_of(const Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  const bool bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  const ValueId x = node.inputs[0], weight = node.inputs[1];
  if (!lowering.describable(x) || !lowering.describable(weight)) return std::nullopt;
  if (!lowering.describable(layer.output) || lowering.shape(x).size() > 5) return std::nullopt;
  Geometry g{lowering.shape(x),
             lowering.shape(weight),
             lowering.shape(layer.output),
             bias || layer.batch_norm >= 0,
             {}};
  g.window = window_of(lowering.graph(), node, {g.x.begin() + 2, g.x.end()},
                       {g.weight.begin() + 2, g.weight.end()});
  for (size_t i = 0; i < g.window.kernel.size(); ++i) {
    if (g.window.begin[i] < 0 || g.window.end[i] < 0) return std::nullopt;
    --g.window.dilations[i];  // oneDNN counts the gaps
  }
  const int64_t group = node.attributes.integer("group", 1);
  if (group > 1) {
    g.weight[0] /= group;
    g.weight.insert(g.weight.begin(), group);
  }
  return g;
}

std::optional<convolution_forward::primitive_desc> create(const Lowering& lowering,
                                                          const Geometry& g,
                                                          const dnnl::primitive_attr& attributes) {
  const Window& w = g.window;
  return try_create([&] {
    const auto make = [&](const auto&... bias) {
      return onednn::describe<convolution_forward>(
          lowering.engine(), attributes, dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct, any_layout(g.x), any_layout(g.weight), bias...,
          any_layout(g.output), dims(w.strides), dims(w.dilations), dims(w.begin), dims(w.end));
    };
    return g.bias ? make(plain_description({g.output[1]})) : make();
  });
}

struct Parameters {
  Location weight, bias;
};

Parameters parameters_of(Lowering& lowering, const Layer& layer, const Geometry& g,
                         const Description& wanted) {
  const Node& node = lowering.node(layer);
  const Description given = plain_description(g.weight);
  if (layer.batch_norm >= 0) {
    const AffineWeights folded =
        fold_batch_norm(lowering.graph(), node, lowering.graph().nodes[layer.batch_norm]);
    return {lowering.pack(folded.weight, given, wanted), lowering.pack(folded.bias)};
  }
  Parameters parameters;
  if (const Tensor* weight = lowering.constant(node.inputs[1])) {
    parameters.weight = lowering.pack(*weight, given, wanted);
  } else {
    // Weights that the graph computes are brought into layout in each run.
    parameters.weight = {lowering.plain(node.inputs[1]).buffer, given};
    if (given != wanted) parameters.weight = lowering.reorder(parameters.weight, wanted);
  }
  if (g.bias) {
    parameters.bias = {lowering.natural(node.inputs[2]).buffer, plain_description({g.output[1]})};
  }
  return parameters;
}

Work work_of(const Lowering& lowering, const Node& node, const Shape& output) {
  const Tensor* weight = lowering.constant(node.inputs[1]);
  if (!weight) return {};
  const int64_t nonzeros = count_nonzeros(*weight);
  const int64_t pixels = element_count(output) / output[1];
  return {"dense", static_cast<int64_t>(weight->size()), nonzeros,
          static_cast<double>(nonzeros) * static_cast<double>(pixels)};
}

// Where its window is the whole image.
bool lower_as_product(Lowering& lowering, const Layer& layer) {
  AffineWeights folded = folded_weights(lowering.graph(), layer, {});
  const int64_t outputs = folded.weight.shape()[0], inputs = folded.weight.size() / outputs;
  return lower_sparse_product(
      lowering, layer,
      {lowering.shape(layer.output)[0], inputs, outputs, std::move(folded.weight),
       plain_description({outputs, inputs}), std::move(folded.bias)});
}

}  // namespace

bool lower_conv(Lowering& lowering, const Layer& layer) {
  const SparseVariant* sparse = lowering.sparse_variant(layer);
  if (sparse && lower_sparse_conv(lowering, layer, *sparse)) return true;
  if (lowering.sparse_product(layer) && lower_as_product(lowering, layer)) return true;
  const auto g = geometry_of(lowering, layer);
  if (!g) return false;
  const auto bare = create(lowering, *g, plan_attributes());
  if (!bare) return false;
  const Node& node = lowering.node(layer);
  const FusedOps fused =
      fuse_operations(lowering, layer, bare->dst_desc(), node.inputs, Sum::allowed);
  const auto primitive = create(lowering, *g, fused.attributes);
  if (!primitive || (plain_loops(*primitive) && !layer.post_ops.empty())) return false;

  const Work work = work_of(lowering, node, g->output);
  std::vector<std::pair<int, Location>> arguments = fused.arguments;
  const Parameters parameters = parameters_of(lowering, layer, *g, primitive->weights_desc());
  arguments.emplace_back(DNNL_ARG_SRC, lowering.as(node.inputs[0], primitive->src_desc()));
  arguments.emplace_back(DNNL_ARG_WEIGHTS, parameters.weight);
  if (g->bias) arguments.emplace_back(DNNL_ARG_BIAS, parameters.bias);
  arguments.emplace_back(DNNL_ARG_DST, place_result(lowering, layer, fused, primitive->dst_desc()));
  lowering.add_primitive(*primitive, convolution_forward(*primitive), std::move(arguments));
  lowering.set_work(work);
  return true;
}

}  // namespace coppice::runtime
