// Operators that look at pictures by regions or at given places: RoiAlign, MaxRoiPool, GridSample,
// AffineGrid, LpPool, MaxUnpool, Col2Im, CenterCropPad, DeformConv, Det. Channels pass where each
// is looked at by itself; places mean something.

#include <numeric>

#include "graph/ops/image.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_roi_align(InferContext& context) {
  require_image(context, "3 or more");
  const Attributes& attributes = context.node().attributes;
  if (context.rank(1) != 2) context.fail("regions aren't rows of four numbers");
  context.set(0, context.type(0).dtype,
              {context.shape(1)[0], context.shape(0)[1], attributes.integer("output_height", 1),
               attributes.integer("output_width", 1)});
}

void infer_max_roi_pool(InferContext& context) {
  require_image(context, "3 or more");
  const auto size = context.node().attributes.integers("pooled_shape");
  if (!size || size->size() != 2 || context.rank(1) != 2) context.fail("needs 'pooled_shape'");
  context.set(0, context.type(0).dtype,
              {context.shape(1)[0], context.shape(0)[1], (*size)[0], (*size)[1]});
}

// As many regions as their list has, of all channels.
void relate_regions(Relations& relations) {
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (axis == 1) continue;
    relations.pin(relations.input(0, axis), PinKind::meaning, "regions of it are looked at");
  }
  for (int input = 1; input < relations.inputs(); ++input) {
    pin_input(relations, input, PinKind::meaning, "says where regions are");
  }
  relations.output(0, 1, relations.input(0, 1), relations.zero_when_dead(0, 1));
}

void infer_grid_sample(InferContext& context) {
  require_image(context, "3 or more");
  if (context.rank(1) != context.rank(0)) {
    context.fail("a grid " + to_string(context.shape(1)) + " doesn't fit " +
                 to_string(context.shape(0)));
  }
  Shape out{context.shape(0)[0], context.shape(0)[1]};
  out.insert(out.end(), context.shape(1).begin() + 1, context.shape(1).end() - 1);
  context.set(0, context.type(0).dtype, out);
}

void relate_grid_sample(Relations& relations) {
  relate_regions(relations);
  relations.output(0, 0, relations.input(0, 0), false);
}

void infer_affine_grid(InferContext& context) {
  const auto size = context.integers(1);
  if (!size) return;
  if (size->size() < 4) context.fail("'size' has too few entries");
  Shape out{size->front()};
  out.insert(out.end(), size->begin() + 2, size->end());
  out.push_back(static_cast<int64_t>(size->size()) - 2);
  context.set(0, context.type(0).dtype, out);
}

void infer_lp_pool(InferContext& context) {
  require_image(context, "3 or more");
  const Shape& x = context.shape(0);
  const auto kernel = context.node().attributes.integers("kernel_shape");
  if (!kernel) context.fail("attribute 'kernel_shape' is missing");
  const Window window = window_of(context.graph(), context.node(), spatial_of(x), *kernel);
  const bool ceil = context.node().attributes.integer("ceil_mode", 0) != 0;
  Shape output{x[0], x[1]};
  for (const int64_t size : window_output(window, spatial_of(x), ceil)) output.push_back(size);
  context.set(0, context.type(0).dtype, output);
}

void infer_global_lp_pool(InferContext& context) {
  require_image(context, "3 or more");
  Shape output = context.shape(0);
  for (size_t axis = 2; axis < output.size(); ++axis) output[axis] = 1;
  context.set(0, context.type(0).dtype, output);
}

void relate_lp_pool(Relations& relations) {
  std::vector<int64_t> spatial(relations.rank(0) - 2);
  std::iota(spatial.begin(), spatial.end(), 2);
  relate_pooled(relations, spatial, true, true, PinKind::meaning, "pooled over");
}

// The size of before the pool: what the third input says, or as the window has it.
void infer_max_unpool(InferContext& context) {
  require_image(context, "3 or more");
  const Shape& x = context.shape(0);
  const auto kernel = context.node().attributes.integers("kernel_shape");
  if (!kernel) context.fail("attribute 'kernel_shape' is missing");
  if (context.has(2)) {
    const auto given = context.integers(2);
    if (given) context.set(0, context.type(0).dtype, *given);
    return;
  }
  const Window window = window_of(context.graph(), context.node(), spatial_of(x), *kernel);
  Shape output{x[0], x[1]};
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    output.push_back((x[2 + i] - 1) * window.strides[i] + window.kernel[i] - window.begin[i] -
                     window.end[i]);
  }
  context.set(0, context.type(0).dtype, output);
}

void infer_col_to_im(InferContext& context) {
  const auto image = context.integers(1), block = context.integers(2);
  if (!image || !block) return context.give_up();
  const int64_t taps = element_count(*block);
  if (context.rank(0) != 3 || taps < 1 || context.shape(0)[1] % taps != 0) {
    context.fail("columns " + to_string(context.shape(0)) + " don't fit blocks " +
                 to_string(*block));
  }
  Shape out{context.shape(0)[0], context.shape(0)[1] / taps};
  out.insert(out.end(), image->begin(), image->end());
  context.set(0, context.type(0).dtype, out);
}

void infer_centre_crop(InferContext& context) {
  const auto sizes = context.integers(1);
  if (!sizes) return;
  std::vector<int64_t> axes(context.rank(0));
  std::iota(axes.begin(), axes.end(), 0);
  axes = context.node().attributes.integers("axes").value_or(axes);
  if (axes.size() != sizes->size()) context.fail("has as many sizes as axes");
  Shape out = context.shape(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    out[resolve_axis(context.graph(), context.node(), axes[i], context.rank(0))] = (*sizes)[i];
  }
  context.set(0, context.type(0).dtype, out);
}

void infer_deform_conv(InferContext& context) {
  require_image(context, "3 or more");
  const Shape &x = context.shape(0), &weight = context.shape(1);
  if (weight.size() != x.size()) context.fail("weight and input have different ranks");
  const Window window =
      window_of(context.graph(), context.node(), spatial_of(x), spatial_of(weight));
  Shape output{x[0], weight[0]};
  for (const int64_t size : window_output(window, spatial_of(x), false)) output.push_back(size);
  context.set(0, context.type(0).dtype, output);
}

int64_t macs_deform_conv(const Node&, std::span<const Shape> inputs,
                         std::span<const Shape> outputs) {
  return element_count(outputs[0]) * element_count({inputs[1].begin() + 1, inputs[1].end()});
}

void infer_determinant(InferContext& context) {
  if (context.rank(0) < 2) context.fail("input isn't a matrix");
  const Shape& x = context.shape(0);
  context.set(0, context.type(0).dtype, {x.begin(), x.end() - 2});
}

}  // namespace

extern const OpDef kRoiAlign{.type = "RoiAlign",
                             .arity = {3, 3},
                             .reads = {Reads::data, Reads::setting, Reads::setting},
                             .trains = false,
                             .infer = infer_roi_align,
                             .relate = relate_regions};
extern const OpDef kMaxRoiPool{.type = "MaxRoiPool",
                               .arity = {2, 2},
                               .reads = {Reads::data},
                               .trains = false,
                               .infer = infer_max_roi_pool};
extern const OpDef kGridSample{.type = "GridSample",
                               .arity = {2, 2},
                               .reads = {Reads::data, Reads::setting},
                               .trains = false,
                               .infer = infer_grid_sample,
                               .relate = relate_grid_sample};
extern const OpDef kAffineGrid{.type = "AffineGrid",
                               .arity = {2, 2},
                               .reads = {Reads::data, Reads::setting},
                               .trains = false,
                               .infer = infer_affine_grid};
extern const OpDef kLpPool{.type = "LpPool",
                           .arity = {1, 1},
                           .reads = {Reads::data},
                           .reach = Reach::channel,
                           .trains = false,
                           .infer = infer_lp_pool,
                           .relate = relate_lp_pool};
extern const OpDef kGlobalLpPool{.type = "GlobalLpPool",
                                 .arity = {1, 1},
                                 .reads = {Reads::data},
                                 .reach = Reach::channel,
                                 .trains = false,
                                 .infer = infer_global_lp_pool,
                                 .relate = relate_lp_pool};
extern const OpDef kMaxUnpool{.type = "MaxUnpool",
                              .arity = {2, 3},
                              .reads = {Reads::data, Reads::data, Reads::setting},
                              .trains = false,
                              .infer = infer_max_unpool};
extern const OpDef kCol2Im{.type = "Col2Im",
                           .arity = {3, 3},
                           .reads = {Reads::data, Reads::setting, Reads::setting},
                           .trains = false,
                           .infer = infer_col_to_im};
extern const OpDef kCenterCropPad{.type = "CenterCropPad",
                                  .arity = {2, 2},
                                  .reads = {Reads::data, Reads::setting},
                                  .trains = false,
                                  .infer = infer_centre_crop};
extern const OpDef kDeformConv{
    .type = "DeformConv",
    .arity = {3, 5},
    .reads = {Reads::data, Reads::weight, Reads::data, Reads::bias, Reads::data},
    .trains = false,
    .infer = infer_deform_conv,
    .macs = macs_deform_conv};
extern const OpDef kDet{.type = "Det",
                        .arity = {1, 1},
                        .reads = {Reads::data},
                        .trains = false,
                        .infer = infer_determinant};

}  // namespace coppice
