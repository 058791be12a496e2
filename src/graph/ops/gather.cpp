// Gather: picks along an axis by index. Constant indices are an index map, to be renumbered after a
// cut; indices known only at run time pin the axis.
//
// A selection (passes/select_channels.h) is a Gather of all channels whose output may lose some
// that its input keeps: index i of the output is there iff index i of the input is, and a tag of
// its own.

#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

int64_t axis_of(const Graph& graph, const Node& node, int64_t rank) {
  return resolve_axis(graph, node, node.attributes.integer("axis", 0), rank);
}

// Indices with negatives resolved. Throws Error::input for one out of range.
std::vector<int64_t> resolved(const Graph& graph, const Node& node, const Tensor& indices,
                              int64_t size) {
  std::vector<int64_t> values = to_int64s(indices);
  for (int64_t& value : values) {
    if (value < -size || value >= size) {
      fail_input(where(graph, node) + ": index " + std::to_string(value) +
                 " is out of range for an axis of " + std::to_string(size));
    }
    if (value < 0) value += size;
  }
  return values;
}

void infer_gather(InferContext& context) {
  const Shape &data = context.shape(0), &indices = context.shape(1);
  const int64_t axis = axis_of(context.graph(), context.node(), context.rank(0));
  if (const Tensor* known = context.known(1)) {
    resolved(context.graph(), context.node(), *known, data[axis]);
  }
  Shape out(data.begin(), data.begin() + axis);
  out.insert(out.end(), indices.begin(), indices.end());
  out.insert(out.end(), data.begin() + axis + 1, data.end());
  context.set(0, context.type(0).dtype, out);
}

void relate_gather(Relations& relations) {
  const int64_t gathered = axis_of(relations.graph(), relations.node(), relations.rank(0));
  const int64_t extra = relations.rank(1);
  const Axis labels = relations.input(0, gathered);
  const Tensor* indices = relations.known(1);
  if (!indices) {
    relations.pin(labels, PinKind::meaning, "picked by an index that is known only at run time");
  } else {
    Axis picked;
    for (const int64_t i : resolved(relations.graph(), relations.node(), *indices,
                                    relations.input_shape(0)[gathered])) {
      picked.push_back(labels[i]);
    }
    const bool zero = relations.zero_when_dead(0, gathered);
    if (extra == 0) {
      relations.pin(picked, PinKind::meaning, "picked by a fixed index");
    } else if (!picked.empty()) {
      // A table of indices: what leaves must be whole rows and columns of it.
      const auto parts = relations.factor(picked, relations.input_shape(1), "table of Gather");
      for (int64_t axis = 0; axis < extra; ++axis) {
        relations.output(0, gathered + axis, parts[axis], zero);
      }
    }
  }
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (axis == gathered) continue;
    relations.output(0, axis < gathered ? axis : axis + extra - 1, relations.input(0, axis),
                     relations.zero_when_dead(0, axis));
  }
}

std::vector<Tensor> evaluate_gather(const Graph& graph, const Node& node,
                                    std::span<const Tensor* const> inputs) {
  const Tensor &data = *inputs[0], &indices = *inputs[1];
  const int64_t axis = axis_of(graph, node, data.rank());
  Tensor picked = take(data, axis, resolved(graph, node, indices, data.shape()[axis]));
  Shape out(data.shape().begin(), data.shape().begin() + axis);
  out.insert(out.end(), indices.shape().begin(), indices.shape().end());
  out.insert(out.end(), data.shape().begin() + axis + 1, data.shape().end());
  return {picked.reshaped(out)};
}

// A masked channel of a selection alone is still what the stream holds: not zero.
void relate_selection(Relations& relations) {
  const Axis stream = relations.input(0, 1);
  const Axis own = relations.fresh(static_cast<int64_t>(stream.size()));
  Axis both;
  for (size_t i = 0; i < stream.size(); ++i) {
    both.push_back(relations.join({{stream[i]}, {own[i]}}).front());
  }
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (axis == 1) continue;
    relations.output(0, axis, relations.input(0, axis), relations.zero_when_dead(0, axis));
  }
  relations.output(0, 1, std::move(both), false);
}

void repair_gather(RepairContext& context) {
  const Tensor* indices = context.known(1);
  if (!indices) return;
  const int64_t axis =
      axis_of(context.graph(), context.node(), static_cast<int64_t>(context.old_input(0).size()));
  const auto extra = static_cast<int64_t>(context.old_input(1).size());
  const Shape& out = context.new_output(0);
  if (context.old_input(0)[axis] == context.new_input(0)[axis] && context.old_output(0) == out) {
    return;
  }
  const std::vector<bool> alive = context.input_alive(0, axis);
  const std::vector<int64_t> picked =
      resolved(context.graph(), context.node(), *indices, context.old_input(0)[axis]);
  // A selection's outputs may leave alone; else what is picked leaves with what it is picked from.
  std::vector<bool> stays;
  if (extra == 1) {
    stays = context.output_alive(0, axis);
  } else {
    for (const int64_t i : picked) stays.push_back(alive[i]);
  }
  const std::vector<int64_t> place = places_after(alive);
  std::vector<int64_t> renumbered;
  for (size_t k = 0; k < picked.size(); ++k) {
    if (stays[k]) renumbered.push_back(place[picked[k]]);
  }
  context.want_table(1, renumbered, {out.begin() + axis, out.begin() + axis + extra});
}

}  // namespace

extern const OpDef kGather{.type = "Gather",
                           .arity = {2, 2},
                           .reads = {Reads::table, Reads::setting},
                           .moves = Moves::picks,
                           .infer = infer_gather,
                           .relate = relate_gather,
                           .repair = repair_gather,
                           .evaluate = evaluate_gather};

extern const OpDef kSelection{.type = "Gather",
                              .arity = {2, 2},
                              .reads = {Reads::table, Reads::setting},
                              .moves = Moves::picks,
                              .infer = infer_gather,
                              .relate = relate_selection,
                              .repair = repair_gather,
                              .evaluate = evaluate_gather};

}  // namespace coppice
