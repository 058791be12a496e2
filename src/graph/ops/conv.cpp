// Conv: x [N, I, ...], weight [O, I/G, K...], bias [O] -> [N, O, ...].
//
// Grouped: the input is G blocks of I/G channels (p x q), the filters G blocks of O/G (p x r); a
// unit is either one q or one r in every block, or a whole block p on both sides.

#include "graph/ops/conv.h"

#include "graph/ops/image.h"
#include "graph/ops/ops.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {}  // namespace

Shape convolved(InferContext& context, const ConvInputs& inputs) {
  const Shape &x = context.shape(0), &weight = context.shape(inputs.weight);
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
  if (inputs.bias >= 0 && context.has(inputs.bias) &&
      context.shape(inputs.bias) != Shape{weight[0]}) {
    context.fail("bias has shape " + to_string(context.shape(inputs.bias)) + ", expected " +
                 std::to_string(weight[0]));
  }
  const Window window =
      window_of(context.graph(), context.node(), spatial_of(x), spatial_of(weight));
  Shape output{x[0], weight[0]};
  for (const int64_t size : window_output(window, spatial_of(x), false)) output.push_back(size);
  return output;
}

void relate_convolution(Relations& relations, const ConvInputs& inputs) {
  const int w_input = inputs.weight;
  const bool has_bias = inputs.bias >= 0 && relations.has_input(inputs.bias);
  const int64_t group = relations.node().attributes.integer("group", 1);
  for (int64_t axis = 2; axis < relations.rank(0); ++axis) {
    relations.pin(relations.input(0, axis), PinKind::meaning, "convolved over");
    relations.pin(relations.input(w_input, axis), PinKind::meaning, "kernel window");
  }
  relations.role(w_input, 0, Role::filter);
  relations.role(w_input, 1, Role::input_channel);
  if (group == 1) {
    relate_contraction(relations, 0, 1, w_input, 1, "input channels of Conv");
  } else {
    const int64_t in = relations.input_shape(w_input)[1],
                  out = relations.input_shape(w_input)[0] / group;
    const int64_t x_sizes[] = {group, in}, w_sizes[] = {group, out};
    const auto x = relations.factor(relations.input(0, 1), x_sizes, "groups of Conv");
    const auto w = relations.factor(relations.input(w_input, 0), w_sizes, "groups of Conv");
    relations.unify(x[0], w[0], "groups of Conv");
    if (!relations.zero_when_dead(0, 1) && !relations.zero_when_dead(w_input, 1)) {
      relations.pin(x[1], PinKind::meaning, "contracted, though a masked index isn't zero");
    }
    relations.unify(x[1], relations.input(w_input, 1), "input channels of grouped Conv");
  }
  const Axis filters = relations.input(w_input, 0);
  bool zero = relations.zero_when_dead(w_input, 0);
  if (has_bias) {
    zero = zero && relations.zero_when_dead(inputs.bias, 0);
    relations.unify(filters, relations.input(inputs.bias, 0), "bias of Conv");
    relations.role(inputs.bias, 0, Role::bias);
  }
  // Channels merged into the batch (a Reshape to [N*C, 1, ...]) get the bias even where they are
  // dead.
  relations.output(0, 0, relations.input(0, 0), relations.zero_when_dead(0, 0) && !has_bias);
  relations.output(0, 1, filters, zero);
}

void repair_convolution(RepairContext& context, const ConvInputs& inputs) {
  const int64_t group = context.node().attributes.integer("group", 1);
  const int64_t per_group = context.new_input(inputs.weight)[1];
  if (group == 1 || per_group == 0) return;
  const int64_t groups = context.new_input(0)[1] / per_group;
  if (groups != group) context.set_attribute("group", groups);
}

namespace {

void infer_conv(InferContext& context) {
  context.set(0, context.type(0).dtype, convolved(context, {}));
}

void relate_conv(Relations& relations) { relate_convolution(relations, {}); }

int64_t macs_conv(const Node&, std::span<const Shape> inputs, std::span<const Shape> outputs) {
  const Shape& weight = inputs[1];
  return element_count(outputs[0]) * element_count({weight.begin() + 1, weight.end()});
}

void repair_conv(RepairContext& context) { repair_convolution(context, {}); }

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
