#include "graph/op.h"

#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {

bool Relations::has_input(int input) const {
  return input < inputs() && node().inputs[input] != kNoValue;
}

bool RepairContext::has_input(int input) const {
  return input < static_cast<int>(node().inputs.size()) && node().inputs[input] != kNoValue;
}

bool RepairContext::unchanged() const {
  for (int i = 0; i < static_cast<int>(node().inputs.size()); ++i) {
    if (has_input(i) && old_input(i) != new_input(i)) return false;
  }
  for (int o = 0; o < static_cast<int>(node().outputs.size()); ++o) {
    if (node().outputs[o] != kNoValue && old_output(o) != new_output(o)) return false;
  }
  return true;
}

int64_t resolve_axis(const Graph& graph, const Node& node, int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    fail_input(where(graph, node) + ": axis " + std::to_string(axis) +
               " is out of range for rank " + std::to_string(rank));
  }
  return axis < 0 ? axis + rank : axis;
}

bool no_gradient(const Node&, int) { return false; }
bool gradient_of_first(const Node&, int output) { return output == 0; }

void pin_input(Relations& relations, int input, PinKind kind, const std::string& why) {
  if (!relations.has_input(input)) return;
  for (int64_t axis = 0; axis < relations.rank(input); ++axis) {
    relations.pin(relations.input(input, axis), kind, why);
  }
}

void relate_unary(Relations& relations, bool zero_at_zero) {
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    relations.output(0, axis, relations.input(0, axis),
                     zero_at_zero && relations.zero_when_dead(0, axis));
  }
}

void relate_broadcast(Relations& relations, bool product) {
  const Shape out = relations.output_shape(0);
  const auto rank = static_cast<int64_t>(out.size());
  for (int64_t axis = 0; axis < rank; ++axis) {
    const Axis* first = nullptr;
    bool any_zero = false, all_zero = true;
    for (int i = 0; i < relations.inputs(); ++i) {
      const int64_t own = axis - (rank - relations.rank(i));
      const bool spans = own >= 0 && relations.input_shape(i)[own] == out[axis];
      if (!spans) {
        all_zero = false;
        continue;
      }
      const bool zero = relations.zero_when_dead(i, own);
      any_zero |= zero;
      all_zero &= zero;
      const Axis& labels = relations.input(i, own);
      if (!first) {
        first = &labels;
      } else {
        relations.unify(*first, labels, "elementwise");
      }
    }
    if (first) relations.output(0, axis, *first, product ? any_zero : all_zero);
  }
}

void relate_contraction(Relations& relations, int left, int64_t left_axis, int right,
                        int64_t right_axis, const std::string& why) {
  const Axis &a = relations.input(left, left_axis), &b = relations.input(right, right_axis);
  if (!relations.zero_when_dead(left, left_axis) && !relations.zero_when_dead(right, right_axis)) {
    relations.pin(a, PinKind::meaning, "contracted, though a masked index isn't zero");
    relations.pin(b, PinKind::meaning, "contracted, though a masked index isn't zero");
  }
  relations.unify(a, b, why);
}

void relate_pooled(Relations& relations, const std::vector<int64_t>& axes, bool keep_axes,
                   bool zero_when_dead, PinKind kind, const std::string& why) {
  int64_t out = 0;
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    const bool pooled = std::find(axes.begin(), axes.end(), axis) != axes.end();
    if (pooled) {
      relations.pin(relations.input(0, axis), kind, why);
      if (keep_axes) ++out;
      continue;
    }
    relations.output(0, out++, relations.input(0, axis),
                     zero_when_dead && relations.zero_when_dead(0, axis));
  }
}

}  // namespace coppice
