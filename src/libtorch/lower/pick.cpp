// Operators that look for, count or scatter along an axis: ArgMax, ArgMin, TopK, CumSum, Range,
// ScatterND.
#include "graph/ops/ops.h"
#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

int64_t axis_of(const LowerContext& context, int64_t axis) {
  return resolve_axis(context.graph(), context.node(), axis, context.rank(0));
}

using Find = at::Tensor (*)(const at::Tensor& x, int64_t axis, bool keep);

// Of equal elements the first is found.
Step find(const LowerContext& context, Find function) {
  const Attributes& attributes = context.attributes();
  if (attributes.integer("select_last_index", 0) != 0) {
    context.fail("'select_last_index' is set, only the first of equal elements can be found");
  }
  const int64_t axis = axis_of(context, attributes.integer("axis", 0));
  const bool keep = attributes.integer("keepdims", 1) != 0;
  return of_one(context, [=](const at::Tensor& x) { return function(x, axis, keep); });
}

}  // namespace

Step lower_arg_max(const LowerContext& context) {
  return find(context, [](const at::Tensor& x, int64_t axis, bool keep) {
    return at::argmax(x, axis, keep);
  });
}

Step lower_arg_min(const LowerContext& context) {
  return find(context, [](const at::Tensor& x, int64_t axis, bool keep) {
    return at::argmin(x, axis, keep);
  });
}

// A stable sort, since at::topk gives equal elements in any order.
Step lower_top_k(const LowerContext& context) {
  const Attributes& attributes = context.attributes();
  const int64_t axis = axis_of(context, attributes.integer("axis", -1));
  const Tensor* given = context.known(1);
  const int64_t k =
      given ? static_cast<int64_t>(number_of(context, *given, "'k'")) : attributes.integer("k", 0);
  const int64_t size = context.shape(0)[axis];
  if (k < 0 || k > size) {
    context.fail("it asks for " + std::to_string(k) + " of " + std::to_string(size));
  }
  return [axis, k, largest = attributes.integer("largest", 1) != 0, x = context.in(0),
          outputs = context.node().outputs](Values& values, Mode) {
    const auto [sorted, places] = at::sort(values[x], /*stable=*/true, axis, largest);
    const at::Tensor* found[] = {&sorted, &places};
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (outputs[o] != kNoValue) values[outputs[o]] = at::narrow(*found[o], axis, 0, k);
    }
  };
}

// Reversed sums are those of the axis turned round; exclusive ones are those of the axis shifted by
// one.
Step lower_cum_sum(const LowerContext& context) {
  const int64_t axis =
      axis_of(context, static_cast<int64_t>(number_of(context, *context.known(1), "the axis")));
  std::vector<int64_t> begin(context.rank(0), 0), end = begin;
  begin[axis] = 1;
  end[axis] = -1;
  return of_one(context,
                [axis, shift = last_axis_first(begin, end),
                 exclusive = context.attributes().integer("exclusive", 0) != 0,
                 reverse = context.attributes().integer("reverse", 0) != 0](const at::Tensor& x) {
                  at::Tensor line = reverse ? at::flip(x, {axis}) : x;
                  if (exclusive) line = at::constant_pad_nd(line, shift, 0);
                  const at::Tensor sums = at::cumsum(line, axis, x.scalar_type());
                  return reverse ? at::flip(sums, {axis}) : sums;
                });
}

// Only one that is too long for inference to hold becomes a step.
Step lower_range(const LowerContext& context) {
  const double start = number_of(context, *context.known(0), "the start");
  const double step = number_of(context, *context.known(2), "the step");
  const int64_t count = context.output_shape()[0];
  return of_one(context, [=](const at::Tensor& like) {
    const at::Tensor numbers = at::arange(count, like.options().dtype(at::kDouble));
    return (numbers * step + start).to(like.scalar_type());
  });
}

// data [D..., E...], indices [I..., depth], updates [I..., E...]: the first `depth` axes are
// picked, as one axis of rows.
Step lower_scatter_nd(const LowerContext& context) {
  const std::string reduction = context.attributes().text("reduction", "none");
  if (reduction != "none")
    context.fail("reduction '" + reduction + "', only 'none' can be trained");
  const Shape& data = context.shape(0);
  const Shape picked(data.begin(), data.begin() + context.shape(1).back());
  const Shape rest(data.begin() + context.shape(1).back(), data.end());
  const Shape listed(context.shape(1).begin(), context.shape(1).end() - 1);
  const int64_t rows = element_count(picked), length = element_count(rest);
  return [picked, listed, data, rows, length, inputs = context.node().inputs, y = context.out()](
             Values& values, Mode) {
    const at::Tensor& indices = values[inputs[1]];
    at::Tensor row = at::zeros(listed, indices.options());
    for (size_t axis = 0; axis < picked.size(); ++axis) {
      const at::Tensor index = at::select(indices, -1, static_cast<int64_t>(axis));
      row = row * picked[axis] + at::where(index < 0, index + picked[axis], index);
    }
    row = row.reshape({-1}).to(at::kLong);
    values[y] = at::index_copy(values[inputs[0]].reshape({rows, length}), 0, row,
                               values[inputs[2]].reshape({row.size(0), length}))
                    .reshape(data);
  };
}

}  // namespace coppice::train
