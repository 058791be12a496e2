// The pools and the mean over all pixels, as oneDNN pooling.
//
// oneDNN has no ceil_mode: what the last window reaches beyond the padding is given to it as more
// padding at the end. For a maximum, and for averages that leave padding out, that is the same; for
// count_include_pad it isn't, and such a pool is left to the reference kernel.

#include <algorithm>
#include <numeric>

#include "graph/ops/ops.h"
#include "runtime/kernels/steps.h"

namespace coppice::runtime {
namespace {

using dnnl::memory;
using onednn::Pooling;

memory::dims dims(const Shape& shape) { return {shape.begin(), shape.end()}; }

// The pooled image of shape `y`, nowhere placed yet.
std::optional<Location> pool(Lowering& lowering, ValueId input, const Shape& y,
                             dnnl::algorithm algorithm, Window w) {
  const Shape& x = lowering.shape(input);
  for (size_t i = 0; i < w.kernel.size(); ++i) {
    const int64_t extent = (w.kernel[i] - 1) * w.dilations[i] + 1;
    const int64_t reach = (y[2 + i] - 1) * w.strides[i] + extent - x[2 + i] - w.begin[i];
    if (algorithm == dnnl::algorithm::pooling_avg_include_padding && reach > w.end[i]) return {};
    w.end[i] = reach;  // less than the padding where the stride leaves a rest
    // A window that lies in the padding altogether has no maximum and no mean.
    if (w.begin[i] < 0 || w.begin[i] >= extent || w.end[i] >= extent) return {};
    --w.dilations[i];  // oneDNN counts the gaps
  }
  const Location source = lowering.packed(input);
  const auto primitive = try_create([&] {
    const Description any(dims(y), memory::data_type::f32, memory::format_tag::any);
    return onednn::describe<Pooling>(lowering.engine(), plan_attributes(),
                                     dnnl::prop_kind::forward_inference, algorithm, source.desc,
                                     any, dims(w.strides), dims(w.kernel), dims(w.dilations),
                                     dims(w.begin), dims(w.end));
  });
  if (!primitive) return {};
  const Location target = lowering.allocate(primitive->dst_desc());
  lowering.add_primitive(*primitive, Pooling(*primitive),
                         {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, target}});
  return target;
}

// Over all pixels; the layer's output may leave the axes of size 1 out.
bool pool_all(Lowering& lowering, const Layer& layer, dnnl::algorithm algorithm) {
  const ValueId input = lowering.node(layer).inputs[0];
  const Shape& x = lowering.shape(input);
  Shape y(x.size(), 1);
  y[0] = x[0];
  y[1] = x[1];
  const Shape spatial(x.begin() + 2, x.end()), ones(spatial.size(), 1), zeros(spatial.size(), 0);
  auto target = pool(lowering, input, y, algorithm, {spatial, ones, ones, zeros, zeros});
  if (!target) return false;
  const Shape& wanted = lowering.shape(layer.output);
  if (wanted != y) target = lowering.plain(*target, wanted);
  lowering.place_in(layer.output, *target);
  return true;
}

bool image(const Lowering& lowering, const Layer& layer) {
  const ValueId input = lowering.node(layer).inputs[0];
  return lowering.describable(input) && lowering.describable(layer.output) &&
         lowering.shape(input).size() >= 3 && lowering.shape(input).size() <= 5;
}

}  // namespace

bool lower_pool(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!image(lowering, layer)) return false;
  if (node.outputs.size() > 1 && node.outputs[1] != kNoValue) return false;
  const Shape& x = lowering.shape(node.inputs[0]);
  const Window window = window_of(lowering.graph(), node, {x.begin() + 2, x.end()},
                                  *node.attributes.integers("kernel_shape"));
  auto algorithm = dnnl::algorithm::pooling_max;
  if (node.op_type == "AveragePool") {
    algorithm = node.attributes.integer("count_include_pad", 0) != 0
                    ? dnnl::algorithm::pooling_avg_include_padding
                    : dnnl::algorithm::pooling_avg_exclude_padding;
  }
  const auto target =
      pool(lowering, node.inputs[0], lowering.shape(layer.output), algorithm, window);
  if (target) lowering.place_in(layer.output, *target);
  return target.has_value();
}

bool lower_global_pool(Lowering& lowering, const Layer& layer) {
  if (!image(lowering, layer)) return false;
  return pool_all(lowering, layer,
                  lowering.node(layer).op_type == "GlobalMaxPool"
                      ? dnnl::algorithm::pooling_max
                      : dnnl::algorithm::pooling_avg_exclude_padding);
}

bool lower_spatial_mean(Lowering& lowering, const Layer& layer) {
  const Node& node = lowering.node(layer);
  if (!image(lowering, layer)) return false;
  const auto rank = static_cast<int64_t>(lowering.shape(node.inputs[0]).size());
  const bool given = node.inputs.size() > 1 && node.inputs[1] != kNoValue;
  const Tensor* axes = given ? lowering.constant(node.inputs[1]) : nullptr;
  if (given && !axes) return false;
  std::vector<int64_t> spatial(rank - 2);
  std::iota(spatial.begin(), spatial.end(), 2);
  if (axes_of(lowering.graph(), node, axes, rank, {}) != spatial) return false;
  return pool_all(lowering, layer, dnnl::algorithm::pooling_avg_exclude_padding);
}

}  // namespace coppice::runtime
