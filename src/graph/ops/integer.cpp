// Convolutions and products of integers: QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger;
// and DynamicQuantizeLinear, which makes codes of what it sees.
//
// Channels are those of the float operator. Steps and zero points by channel go along; codes that
// leave stand for zero, so what is summed stays what it was.

#include <algorithm>

#include "graph/ops/conv.h"
#include "graph/ops/matmul.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

// A vector of one step, or zero point, a channel of what `labels` are of.
void tie_vector(Relations& relations, int input, const Axis& labels) {
  if (!relations.has_input(input) || relations.rank(input) != 1) return;
  if (relations.input_shape(input)[0] != std::ssize(labels) || labels.size() < 2) return;
  relations.unify(labels, relations.input(input, 0), relations.node().op_type);
}

// --- convolutions

void infer_qlinear_conv(InferContext& context) {
  const DType type = context.has(7) ? context.type(7).dtype : context.type(0).dtype;
  context.set(0, type, convolved(context, {3, 8}));
}

void relate_qlinear_conv(Relations& relations) {
  relate_convolution(relations, {3, 8});
  const Axis filters = relations.input(3, 0);
  for (const int input : {4, 5}) tie_vector(relations, input, filters);
}

void repair_qlinear_conv(RepairContext& context) { repair_convolution(context, {3, 8}); }

void infer_conv_integer(InferContext& context) {
  context.set(0, DType::i32, convolved(context, {1, -1}));
}

void relate_conv_integer(Relations& relations) {
  relate_convolution(relations, {1, -1});
  const Axis filters = relations.input(1, 0);
  tie_vector(relations, 3, filters);
}

void repair_conv_integer(RepairContext& context) { repair_convolution(context, {1, -1}); }

template <int weight>
int64_t macs_of_conv(const Node&, std::span<const Shape> inputs, std::span<const Shape> outputs) {
  const Shape& kernel = inputs[weight];
  return element_count(outputs[0]) * element_count({kernel.begin() + 1, kernel.end()});
}

// --- products

void infer_qlinear_matmul(InferContext& context) {
  context.set(0, context.type(7).dtype, multiplied(context, 3));
}

void relate_qlinear_matmul(Relations& relations) {
  relate_product(relations, 3);
  const Axis columns = relations.input(3, relations.rank(3) - 1);
  for (const int input : {4, 5}) tie_vector(relations, input, columns);
  if (relations.rank(0) < 2) return;
  const Axis rows = relations.input(0, relations.rank(0) - 2);
  for (const int input : {1, 2}) tie_vector(relations, input, rows);
}

void infer_matmul_integer(InferContext& context) {
  context.set(0, DType::i32, multiplied(context, 1));
}

void relate_matmul_integer(Relations& relations) {
  relate_product(relations, 1);
  const Axis columns = relations.input(1, relations.rank(1) - 1);
  tie_vector(relations, 3, columns);
  if (relations.rank(0) < 2) return;
  const Axis rows = relations.input(0, relations.rank(0) - 2);
  tie_vector(relations, 2, rows);
}

int64_t macs_of_product(const Node&, std::span<const Shape> inputs,
                        std::span<const Shape> outputs) {
  return element_count(outputs[0]) * inputs[0].back();
}

// --- codes of what is seen

void infer_dynamic(InferContext& context) {
  context.set(0, DType::u8, context.shape(0));
  context.set(1, DType::f32, {});
  context.set(2, DType::u8, {});
}

// Zeros are within the range that is looked for, whether they are there or not.
void relate_dynamic(Relations& relations) {
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    const bool zero = relations.zero_when_dead(0, axis);
    if (!zero) {
      relations.pin(relations.input(0, axis), PinKind::statistics, "largest and smallest over it");
    }
    relations.output(0, axis, relations.input(0, axis), zero);
  }
}

}  // namespace

extern const OpDef kQLinearConv{
    .type = "QLinearConv",
    .arity = {8, 9},
    .reads = {Reads::data, Reads::step, Reads::zero_point, Reads::code, Reads::step,
              Reads::zero_point, Reads::step, Reads::zero_point, Reads::code},
    .trains = false,
    .infer = infer_qlinear_conv,
    .relate = relate_qlinear_conv,
    .macs = macs_of_conv<3>,
    .repair = repair_qlinear_conv};
extern const OpDef kConvInteger{
    .type = "ConvInteger",
    .arity = {2, 4},
    .reads = {Reads::data, Reads::code, Reads::zero_point, Reads::zero_point},
    .trains = false,
    .infer = infer_conv_integer,
    .relate = relate_conv_integer,
    .macs = macs_of_conv<1>,
    .repair = repair_conv_integer};
extern const OpDef kQLinearMatMul{
    .type = "QLinearMatMul",
    .arity = {8, 8},
    .reads = {Reads::code, Reads::step, Reads::zero_point, Reads::code, Reads::step,
              Reads::zero_point, Reads::step, Reads::zero_point},
    .trains = false,
    .infer = infer_qlinear_matmul,
    .relate = relate_qlinear_matmul,
    .macs = macs_of_product};
extern const OpDef kMatMulInteger{
    .type = "MatMulInteger",
    .arity = {2, 4},
    .reads = {Reads::code, Reads::code, Reads::zero_point, Reads::zero_point},
    .trains = false,
    .infer = infer_matmul_integer,
    .relate = relate_matmul_integer,
    .macs = macs_of_product};
extern const OpDef kDynamicQuantizeLinear{.type = "DynamicQuantizeLinear",
                                          .arity = {1, 1, 1, 3},
                                          .reads = {Reads::data},
                                          .trains = false,
                                          .infer = infer_dynamic,
                                          .relate = relate_dynamic};

}  // namespace coppice
