// LSTM, GRU, RNN: a hidden unit is one row in every gate, one column of the recurrent weights and
// one index of every state.
//
//   x [T, N, I], W [D, g*H, I], R [D, g*H, H], B [D, 2*g*H], lengths [N], h0, c0 [D, N, H],
//   P [D, 3*H] (peepholes)  ->  y [T, D, N, H], h, c [D, N, H];  D directions, g gates
//
// All directions lose the same units. Without a zero initial state a masked unit isn't zero (its
// gates halve what it began with), but its rows and columns are, so it reaches nobody else's sum.

#include <algorithm>
#include <utility>

#include "graph/ops/ops.h"

namespace coppice {
namespace {

int64_t gates_of(const Node& node) {
  return node.op_type == "LSTM" ? 4 : node.op_type == "GRU" ? 3 : 1;
}

void infer_recurrent(InferContext& context) {
  const Shape &x = context.shape(0), &w = context.shape(1), &r = context.shape(2);
  const int64_t gates = gates_of(context.node());
  if (x.size() != 3 || w.size() != 3 || r.size() != 3) {
    context.fail("x, W and R have shapes " + to_string(x) + ", " + to_string(w) + " and " +
                 to_string(r) + "; expected rank 3");
  }
  const int64_t hidden = r[2];
  const int64_t declared = context.node().attributes.integer("hidden_size", hidden);
  if (declared != hidden || w[1] != gates * hidden || r[1] != gates * hidden) {
    context.fail("W has shape " + to_string(w) + ", R " + to_string(r) + "; expected " +
                 std::to_string(gates) + " gates of hidden size " + std::to_string(declared));
  }
  if (w[2] != x[2]) {
    context.fail("W expects " + std::to_string(w[2]) + " input features, input has " +
                 std::to_string(x[2]));
  }
  if (context.node().attributes.integer("layout", 0) != 0) return context.give_up();
  const DType dtype = context.type(0).dtype;
  context.set(0, dtype, {x[0], w[0], x[1], hidden});
  for (int o = 1; o <= 2; ++o) context.set(o, dtype, {w[0], x[1], hidden});
}

Axis repeated(const Axis& axis, int64_t times) {
  Axis result;
  for (int64_t i = 0; i < times; ++i) result.insert(result.end(), axis.begin(), axis.end());
  return result;
}

// With every gate's sum at zero, does a unit that begins at zero stay there? By default yes.
bool stays_at_zero(const Relations& relations) {
  return !relations.node().attributes.has("activations");
}

void relate_recurrent(Relations& relations) {
  const std::string& op = relations.node().op_type;
  const int64_t gates = gates_of(relations.node());
  const Axis hidden = relations.input(2, 2);
  const auto tie = [&](int input, int64_t axis, const Axis& labels, const char* what) {
    if (relations.has_input(input)) {
      relations.unify(labels, relations.input(input, axis), what + (" of " + op));
    }
  };
  relate_contraction(relations, 0, 2, 1, 2, "input features of " + op);
  relations.role(1, 2, Role::input_channel);
  relations.role(2, 2, Role::input_channel);
  relations.role(1, 1, Role::filter);
  relations.role(2, 1, Role::filter);
  tie(1, 1, repeated(hidden, gates), "gates");
  tie(2, 1, repeated(hidden, gates), "gates");
  tie(3, 1, repeated(hidden, 2 * gates), "bias");
  tie(7, 1, repeated(hidden, 3), "peepholes");
  if (relations.has_input(3)) relations.role(3, 1, Role::bias);
  bool zero = stays_at_zero(relations);
  for (int i : {5, 6}) {
    tie(i, 2, hidden, "initial state");
    if (relations.has_input(i)) zero = zero && relations.zero_when_dead(i, 2);
  }
  // Time is walked through, and directions are told apart by their place.
  relations.pin(relations.input(0, 0), PinKind::meaning, "time of " + op);
  for (int i : {1, 2, 3, 5, 6, 7}) {
    if (relations.has_input(i)) {
      relations.pin(relations.input(i, 0), PinKind::meaning, "directions of " + op);
    }
  }
  for (int i : {5, 6}) tie(i, 1, relations.input(0, 1), "batch");
  for (int o = 0; o < static_cast<int>(relations.node().outputs.size()); ++o) {
    if (relations.node().outputs[o] == kNoValue) continue;
    const auto last = static_cast<int64_t>(relations.output_shape(o).size()) - 1;
    relations.output(o, last, hidden, zero);
    relations.output(o, last - 1, relations.input(0, 1), false);
  }
}

int64_t macs_recurrent(const Node&, std::span<const Shape> inputs, std::span<const Shape>) {
  const Shape &x = inputs[0], &w = inputs[1], &r = inputs[2];
  return x[0] * x[1] * (element_count(w) + element_count(r));
}

void repair_recurrent(RepairContext& context) {
  const int64_t hidden = context.new_input(2)[2];
  if (hidden != context.old_input(2)[2]) context.set_attribute("hidden_size", hidden);
}

OpDef recurrent(const char* type, int max_inputs, int max_outputs) {
  std::vector<Reads> reads(max_inputs, Reads::data);
  reads[1] = reads[2] = Reads::weight;
  reads[3] = Reads::bias;
  reads[4] = Reads::setting;
  return {.type = type,
          .arity = {3, max_inputs, 0, max_outputs},
          .reads = std::move(reads),
          .infer = infer_recurrent,
          .relate = relate_recurrent,
          .macs = macs_recurrent,
          .repair = repair_recurrent};
}

}  // namespace

extern const OpDef kLSTM = recurrent("LSTM", 8, 3);
extern const OpDef kGRU = recurrent("GRU", 6, 2);
extern const OpDef kRNN = recurrent("RNN", 6, 2);

}  // namespace coppice
