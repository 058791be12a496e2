// ConvTranspose: x [N, I, ...], weight [I, O/G, K...], bias [O] -> [N, O, ...].
//
// The weight's axes are the other way round than Conv's, and its second axis is the filters of one
// group: an output channel is (group, filter), and removing a filter removes it from every group.

#include <algorithm>

#include "graph/ops/image.h"
#include "graph/ops/ops.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

void infer_conv_transpose(InferContext& context) {
  const Shape &x = context.shape(0), &weight = context.shape(1);
  if (x.size() < 3 || weight.size() != x.size()) {
    context.fail("weight has shape " + to_string(weight) + ", input " + to_string(x) +
                 "; expected equal ranks of 3 to 5");
  }
  const int64_t group = context.node().attributes.integer("group", 1);
  if (weight[0] != x[1]) {
    context.fail("weight expects " + std::to_string(weight[0]) + " input channels, input has " +
                 std::to_string(x[1]));
  }
  if (group < 1 || x[1] % group != 0) {
    context.fail(std::to_string(x[1]) + " input channels can't be split into " +
                 std::to_string(group) + " groups");
  }
  const int64_t channels = weight[1] * group;
  if (context.has(2) && context.shape(2) != Shape{channels}) {
    context.fail("bias has shape " + to_string(context.shape(2)) + ", expected " +
                 std::to_string(channels));
  }
  Shape output{x[0], channels};
  const TransposedWindow window =
      transposed_window_of(context.graph(), context.node(), spatial_of(x), spatial_of(weight));
  output.insert(output.end(), window.output.begin(), window.output.end());
  context.set(0, context.type(0).dtype, output);
}

void relate_conv_transpose(Relations& relations) {
  const int64_t group = relations.node().attributes.integer("group", 1);
  for (int64_t axis = 2; axis < relations.rank(0); ++axis) {
    relations.pin(relations.input(0, axis), PinKind::meaning, "convolved over");
    relations.pin(relations.input(1, axis), PinKind::meaning, "kernel window");
  }
  relations.role(1, 1, Role::filter);
  relations.role(1, 0, Role::input_channel);
  relate_contraction(relations, 0, 1, 1, 0, "input channels of ConvTranspose");
  Axis channels = relations.input(1, 1);
  if (group > 1) {
    const int64_t sizes[] = {group, relations.input_shape(0)[1] / group};
    const auto blocks = relations.factor(relations.input(0, 1), sizes, "groups of ConvTranspose");
    channels = relations.join({blocks[0], channels});
  }
  bool zero = relations.zero_when_dead(1, 1) && (group == 1 || relations.zero_when_dead(1, 0));
  if (relations.has_input(2)) {
    zero = zero && relations.zero_when_dead(2, 0);
    relations.unify(channels, relations.input(2, 0), "bias of ConvTranspose");
    relations.role(2, 0, Role::bias);
  }
  relations.output(0, 0, relations.input(0, 0),
                   relations.zero_when_dead(0, 0) && !relations.has_input(2));
  relations.output(0, 1, std::move(channels), zero);
}

int64_t macs_conv_transpose(const Node&, std::span<const Shape> inputs, std::span<const Shape>) {
  const Shape& weight = inputs[1];
  return element_count(inputs[0]) * element_count({weight.begin() + 1, weight.end()});
}

void repair_conv_transpose(RepairContext& context) {
  const int64_t group = context.node().attributes.integer("group", 1);
  const int64_t per_group = context.new_input(1)[1];
  if (group == 1 || per_group == 0) return;
  const int64_t groups = context.new_output(0)[1] / per_group;
  if (groups != group) context.set_attribute("group", groups);
}

LinearLayer linear_conv_transpose(const Node& node, int) {
  return {.kind = LinearLayer::Kind::transposed_convolution,
          .data = 0,
          .weight = 1,
          .bias = 2,
          .outputs = 1,
          .inputs = 0,
          .channels = 1,
          .results = 1,
          .groups = node.attributes.integer("group", 1)};
}

}  // namespace

extern const OpDef kConvTranspose{.type = "ConvTranspose",
                                  .arity = {2, 3},
                                  .reads = {Reads::data, Reads::weight, Reads::bias},
                                  .infer = infer_conv_transpose,
                                  .relate = relate_conv_transpose,
                                  .macs = macs_conv_transpose,
                                  .repair = repair_conv_transpose,
                                  .linear = linear_conv_transpose};

}  // namespace coppice
