// Conv: x [N, I, ...], weight [O, I/G, K...], bias [O] -> [N, O, ...].
//
// Grouped: the input is G blocks of I/G channels (p x q), the filters G blocks of O/G (p x r); a
// unit is either one q or one r in every block, or a whole block p on both sides.

#include "graph/ops/ops.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

Shape tail(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

void infer_conv(InferContext& context) {
  const Shape &x = context.shape(0), &weight = context.shape(1);
  if (x.size() < 3)
    context.fail("input has rank " + std::to_string(x.size()) + ", expected 3 to 5");
  if (weight.size() != x.size()) {
    context.fail("weight has shape " + to_string(weight) + ", input " + to_string(x) +
                 "; expected equal ranks");
  }
  const int64_t group = context.node().attributes.integer("group", 1);
  if (group < 1 || weight[0] % group != 0) {
    context.fail(std::to_string(weight[0]) + " filters can't be split into " +
                 std::to_string(group) + " groups");
  }
  if (weight[1] * group != x[1]) {
    const ValueId source = context.node().inputs[0];
    context.fail("weight expects " + std::to_string(weight[1] * group) +
                 " input channels, input '" + context.graph().value(source).name + "' has " +
                 std::to_string(x[1]));
  }
  if (context.has(2) && context.shape(2) != Shape{weight[0]}) {
    context.fail("bias has shape " + to_string(context.shape(2)) + ", expected " +
                 std::to_string(weight[0]));
  }
  const Window window = window_of(context.graph(), context.node(), tail(x), tail(weight));
  Shape output{x[0], weight[0]};
  for (const int64_t size : window_output(window, tail(x), false)) output.push_back(size);
  context.set(0, context.type(0).dtype, output);
}

void relate_conv(Relations& relations) {
  const int64_t group = relations.node().attributes.integer("group", 1);
  for (int64_t axis = 2; axis < relations.rank(0); ++axis) {
    relations.pin(relations.input(0, axis), PinKind::meaning, "convolved over");
    relations.pin(relations.input(1, axis), PinKind::meaning, "kernel window");
  }
  relations.role(1, 0, Role::filter);
  relations.role(1, 1, Role::input_channel);
  if (group == 1) {
    relate_contraction(relations, 0, 1, 1, 1, "input channels of Conv");
  } else {
    const int64_t in = relations.input_shape(1)[1], out = relations.input_shape(1)[0] / group;
    const int64_t x_sizes[] = {group, in}, w_sizes[] = {group, out};
    const auto x = relations.factor(relations.input(0, 1), x_sizes, "groups of Conv");
    const auto w = relations.factor(relations.input(1, 0), w_sizes, "groups of Conv");
    relations.unify(x[0], w[0], "groups of Conv");
    if (!relations.zero_when_dead(0, 1) && !relations.zero_when_dead(1, 1)) {
      relations.pin(x[1], PinKind::meaning, "contracted, though a masked index isn't zero");
    }
    relations.unify(x[1], relations.input(1, 1), "input channels of grouped Conv");
  }
  const Axis filters = relations.input(1, 0);
  bool zero = relations.zero_when_dead(1, 0);
  if (relations.has_input(2)) {
    zero = zero && relations.zero_when_dead(2, 0);
    relations.unify(filters, relations.input(2, 0), "bias of Conv");
    relations.role(2, 0, Role::bias);
  }
  // Channels merged into the batch (a Reshape to [N*C, 1, ...]) get the bias even where they are
  // dead.
  relations.output(0, 0, relations.input(0, 0),
                   relations.zero_when_dead(0, 0) && !relations.has_input(2));
  relations.output(0, 1, filters, zero);
}

int64_t macs_conv(const Node&, std::span<const Shape> inputs, std::span<const Shape> outputs) {
  const Shape& weight = inputs[1];
  return element_count(outputs[0]) * element_count({weight.begin() + 1, weight.end()});
}

void repair_conv(RepairContext& context) {
  const int64_t group = context.node().attributes.integer("group", 1);
  const int64_t per_group = context.new_input(1)[1];
  if (group == 1 || per_group == 0) return;
  const int64_t groups = context.new_input(0)[1] / per_group;
  if (groups != group) context.set_attribute("group", groups);
}

LinearLayer linear_conv(const Node& node, int) {
  return {.kind = LinearLayer::Kind::convolution,
          .data = 0,
          .weight = 1,
          .bias = 2,
          .outputs = 0,
          .inputs = 1,
          .channels = 1,
          .results = 1,
          .groups = node.attributes.integer("group", 1)};
}

}  // namespace

extern const OpDef kConv{.type = "Conv",
                         .arity = {2, 3},
                         .reads = {Reads::data, Reads::weight, Reads::bias},
                         .infer = infer_conv,
                         .relate = relate_conv,
                         .macs = macs_conv,
                         .repair = repair_conv,
                         .linear = linear_conv};

}  // namespace coppice
