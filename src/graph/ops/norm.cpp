// Normalisations by statistics of the data itself: LayerNormalization, RMSNormalization,
// InstanceNormalization, GroupNormalization, MeanVarianceNormalization, LpNormalization, LRN.
//
// A mean or a variance over an axis changes when the axis shrinks, so the normalised axes are
// pinned as statistics. A norm (the root of a sum) does not change when what leaves is exactly
// zero.

#include <algorithm>

#include "graph/ops/ops.h"

namespace coppice {
namespace {

void pin_statistics(Relations& relations, const Axis& axis) {
  relations.pin(axis, PinKind::statistics, relations.node().op_type + " over it");
}

// All axes pass; `dies` says which of them are still zero where they were.
template <typename Dies>
void pass_axes(Relations& relations, Dies dies) {
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    relations.output(0, axis, relations.input(0, axis),
                     relations.zero_when_dead(0, axis) && dies(axis));
  }
}

// Ties axis 0 of a vector to some labels; nothing where the vector is left out.
void tie_vector(Relations& relations, int input, const Axis& labels, Role role) {
  if (!relations.has_input(input)) return;
  relations.unify(labels, relations.input(input, 0), relations.node().op_type);
  relations.role(input, 0, role);
}

bool zero_vector(const Relations& relations, int input) {
  return relations.has_input(input) && relations.zero_when_dead(input, 0);
}

void require_vector(const InferContext& context, int input, int64_t size) {
  if (!context.has(input) || context.shape(input) == Shape{size}) return;
  context.fail("input " + std::to_string(input) + " has shape " + to_string(context.shape(input)) +
               ", expected " + std::to_string(size));
}

int64_t first_axis(const Graph& graph, const Node& node, int64_t rank) {
  return resolve_axis(graph, node, node.attributes.integer("axis", -1), rank);
}

// Normalises over `axis` and all after it; scale and shift have their shape.
void infer_layer_norm(InferContext& context) {
  const Shape& x = context.shape(0);
  const int64_t first = first_axis(context.graph(), context.node(), context.rank(0));
  for (int i = 1; i <= 2; ++i) {
    if (context.has(i) && broadcast(context.shape(i), x) != x) {
      context.fail("input " + std::to_string(i) + " has shape " + to_string(context.shape(i)) +
                   ", which doesn't broadcast to " + to_string(x));
    }
  }
  context.set(0, context.type(0).dtype, x);
  Shape statistics = x;
  for (int64_t axis = first; axis < context.rank(0); ++axis) statistics[axis] = 1;
  for (int o = 1; o <= 2; ++o) context.set(o, context.type(0).dtype, statistics);
}

void relate_layer_norm(Relations& relations) {
  const int64_t rank = relations.rank(0);
  const int64_t first = first_axis(relations.graph(), relations.node(), rank);
  for (int64_t axis = first; axis < rank; ++axis) {
    pin_statistics(relations, relations.input(0, axis));
  }
  for (int i = 1; i <= 2; ++i) {
    if (!relations.has_input(i)) continue;
    for (int64_t own = 0; own < relations.rank(i); ++own) {
      const int64_t axis = own + rank - relations.rank(i);
      if (relations.input_shape(i)[own] != relations.input_shape(0)[axis]) continue;
      relations.unify(relations.input(0, axis), relations.input(i, own), relations.node().op_type);
      relations.role(i, own, i == 1 ? Role::norm_scale : Role::norm_shift);
    }
  }
  const bool shifted = relations.has_input(2);
  pass_axes(relations, [&](int64_t axis) { return axis < first && !shifted; });
  for (int o = 1; o < static_cast<int>(relations.node().outputs.size()); ++o) {
    if (relations.node().outputs[o] == kNoValue) continue;
    for (int64_t axis = 0; axis < first; ++axis) {
      relations.output(o, axis, relations.input(0, axis), false);
    }
  }
}

void infer_instance_norm(InferContext& context) {
  if (context.rank(0) < 3) {
    context.fail("input has shape " + to_string(context.shape(0)) + ", expected rank 3 or more");
  }
  for (int i = 1; i <= 2; ++i) require_vector(context, i, context.shape(0)[1]);
  context.set(0, context.type(0).dtype, context.shape(0));
}

void relate_instance_norm(Relations& relations) {
  for (int64_t axis = 2; axis < relations.rank(0); ++axis) {
    pin_statistics(relations, relations.input(0, axis));
  }
  tie_vector(relations, 1, relations.input(0, 1), Role::norm_scale);
  tie_vector(relations, 2, relations.input(0, 1), Role::norm_shift);
  const bool zero = zero_vector(relations, 1) && zero_vector(relations, 2);
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    relations.output(0, axis, relations.input(0, axis), axis == 1 && zero);
  }
}

// Scale and shift are one a group before opset 21, one a channel from then on.
bool one_a_group(const Graph& graph) { return graph.opset < 21; }

void infer_group_norm(InferContext& context) {
  const int64_t groups = context.node().attributes.integer("num_groups", 0);
  if (context.rank(0) < 3 || groups < 1 || context.shape(0)[1] % groups != 0) {
    context.fail("input " + to_string(context.shape(0)) + " can't be normalised in " +
                 std::to_string(groups) + " groups of channels");
  }
  const int64_t size = one_a_group(context.graph()) ? groups : context.shape(0)[1];
  for (int i = 1; i <= 2; ++i) require_vector(context, i, size);
  context.set(0, context.type(0).dtype, context.shape(0));
}

void relate_group_norm(Relations& relations) {
  const int64_t groups = relations.node().attributes.integer("num_groups", 1);
  const int64_t sizes[] = {groups, relations.input_shape(0)[1] / groups};
  const auto parts = relations.factor(relations.input(0, 1), sizes, "groups of GroupNormalization");
  pin_statistics(relations, parts[1]);
  for (int64_t axis = 2; axis < relations.rank(0); ++axis) {
    pin_statistics(relations, relations.input(0, axis));
  }
  const Axis& labels = one_a_group(relations.graph()) ? parts[0] : relations.input(0, 1);
  tie_vector(relations, 1, labels, Role::norm_scale);
  tie_vector(relations, 2, labels, Role::norm_shift);
  const bool zero = zero_vector(relations, 1) && zero_vector(relations, 2);
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    relations.output(0, axis, relations.input(0, axis), axis == 1 && zero);
  }
}

void repair_group_norm(RepairContext& context) {
  const int64_t groups = context.node().attributes.integer("num_groups", 1);
  const int64_t per_group = context.old_input(0)[1] / groups;  // pinned, so it stays
  const int64_t now = context.new_input(0)[1] / per_group;
  if (now != groups) context.set_attribute("num_groups", now);
}

void relate_mean_variance(Relations& relations) {
  const auto axes =
      *axes_of(relations.graph(), relations.node(), nullptr, relations.rank(0), {0, 2, 3});
  for (const int64_t axis : axes) pin_statistics(relations, relations.input(0, axis));
  pass_axes(relations, [](int64_t) { return true; });
}

void relate_lp_norm(Relations& relations) {
  const int64_t normalised = first_axis(relations.graph(), relations.node(), relations.rank(0));
  if (!relations.zero_when_dead(0, normalised)) {
    pin_statistics(relations, relations.input(0, normalised));
  }
  // Over any other axis, what is dead would be zero divided by a norm of zero.
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (axis == normalised || !relations.zero_when_dead(0, axis)) continue;
    relations.pin(relations.input(0, axis), PinKind::meaning, "masking would divide by zero");
  }
  pass_axes(relations, [](int64_t) { return true; });
}

void relate_lrn(Relations& relations) {
  relations.pin(relations.input(0, 1), PinKind::meaning, "LRN looks at neighbouring channels");
  pass_axes(relations, [](int64_t) { return true; });
}

}  // namespace

extern const OpDef kLayerNormalization{.type = "LayerNormalization",
                                       .arity = {2, 3, 1, 3},
                                       .reads = {Reads::data, Reads::scale, Reads::shift},
                                       .infer = infer_layer_norm,
                                       .relate = relate_layer_norm};
extern const OpDef kRMSNormalization{.type = "RMSNormalization",
                                     .arity = {2, 2},
                                     .reads = {Reads::data, Reads::scale},
                                     .infer = infer_layer_norm,
                                     .relate = relate_layer_norm};
// The same by ONNX Runtime's optimiser, which writes it into either domain.
extern const OpDef kSimplifiedLayerNormalization{.type = "SimplifiedLayerNormalization",
                                                 .arity = {2, 2, 1, 2},
                                                 .reads = {Reads::data, Reads::scale},
                                                 .trains = false,
                                                 .infer = infer_layer_norm,
                                                 .relate = relate_layer_norm};
extern const OpDef kSimplifiedOfRuntime{.type = "SimplifiedLayerNormalization",
                                        .arity = {2, 2, 1, 2},
                                        .reads = {Reads::data, Reads::scale},
                                        .domain = "com.microsoft",
                                        .trains = false,
                                        .infer = infer_layer_norm,
                                        .relate = relate_layer_norm};
extern const OpDef kInstanceNormalization{.type = "InstanceNormalization",
                                          .arity = {3, 3},
                                          .reads = {Reads::data, Reads::scale, Reads::shift},
                                          .reach = Reach::channel,
                                          .infer = infer_instance_norm,
                                          .relate = relate_instance_norm};
extern const OpDef kGroupNormalization{.type = "GroupNormalization",
                                       .arity = {3, 3},
                                       .reads = {Reads::data, Reads::scale, Reads::shift},
                                       .infer = infer_group_norm,
                                       .relate = relate_group_norm,
                                       .repair = repair_group_norm};
extern const OpDef kMeanVarianceNormalization{.type = "MeanVarianceNormalization",
                                              .arity = {1, 1},
                                              .reads = {Reads::data},
                                              .infer = infer_same,
                                              .relate = relate_mean_variance};
extern const OpDef kLpNormalization{.type = "LpNormalization",
                                    .arity = {1, 1},
                                    .reads = {Reads::data},
                                    .infer = infer_same,
                                    .relate = relate_lp_norm};
extern const OpDef kLRN{.type = "LRN",
                        .arity = {1, 1},
                        .reads = {Reads::data},
                        .infer = infer_same,
                        .relate = relate_lrn};

}  // namespace coppice
