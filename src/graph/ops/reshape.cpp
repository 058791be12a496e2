// Reshape, Flatten, Squeeze, Unsqueeze: the same elements in the same row-major order.
//
// Labels: sizes 1 are ignored, both shapes are walked and cut into minimal
// blocks of equal product; within a block the union of the cumulative products of both sides gives
// the atoms; each input axis is factored into its atoms, runs of atoms are joined into output axes.

#include <algorithm>

#include "core/attempt.h"
#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

struct Block {
  std::vector<int64_t> inputs, outputs;  // axes
};

// Axes longer than 1, cut into minimal runs of equal product. Requires: equal element counts, > 0.
std::vector<Block> blocks_of(const Shape& from, const Shape& to) {
  std::vector<Block> blocks;
  size_t i = 0, o = 0;
  while (true) {
    while (i < from.size() && from[i] == 1) ++i;
    while (o < to.size() && to[o] == 1) ++o;
    if (i == from.size() || o == to.size()) return blocks;
    Block block;
    int64_t in = 1, out = 1;
    do {
      if (in <= out) {
        while (i < from.size() && from[i] == 1) ++i;
        in *= from[i];
        block.inputs.push_back(static_cast<int64_t>(i++));
      } else {
        while (o < to.size() && to[o] == 1) ++o;
        out *= to[o];
        block.outputs.push_back(static_cast<int64_t>(o++));
      }
    } while (in != out);
    blocks.push_back(std::move(block));
  }
}

// Sizes of the atoms from the outermost on: the common refinement of both sides' cumulative
// products (counted from the innermost axis). Empty where one doesn't divide the next.
std::vector<int64_t> atoms_of(const Shape& from, const Shape& to, const Block& block) {
  std::vector<int64_t> cuts{1};
  const auto collect = [&](const Shape& shape, const std::vector<int64_t>& axes) {
    int64_t product = 1;
    for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis)
      cuts.push_back(product *= shape[*axis]);
  };
  collect(from, block.inputs);
  collect(to, block.outputs);
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<int64_t> atoms;
  for (size_t i = cuts.size() - 1; i > 0; --i) {
    if (cuts[i] % cuts[i - 1] != 0) return {};
    atoms.push_back(cuts[i] / cuts[i - 1]);
  }
  return atoms;
}

bool all_always(const Axis& axis) {
  return std::all_of(axis.begin(), axis.end(), [](Label label) { return label == kAlways; });
}

void relate_block(Relations& relations, const Block& block) {
  const Shape &from = relations.input_shape(0), &to = relations.output_shape(0);
  const std::string why = relations.node().op_type;
  bool untouched = true, zero = true;
  for (const int64_t axis : block.inputs) {
    untouched = untouched && all_always(relations.input(0, axis));
    zero =
        zero && (relations.zero_when_dead(0, axis) || relations.frozen(relations.input(0, axis)));
  }
  if (untouched) return;

  std::vector<Axis> parts;  // labels of the atoms, outermost first
  std::vector<int64_t> atoms = atoms_of(from, to, block);
  if (atoms.empty()) {
    // The cuts cross (6 -> 2x3 seen as 3x2): join everything, then factor to the output's sizes.
    std::vector<Axis> all;
    for (const int64_t axis : block.inputs) all.push_back(relations.input(0, axis));
    for (const int64_t axis : block.outputs) atoms.push_back(to[axis]);
    parts = relations.factor(relations.join(all), atoms, why);
  } else {
    size_t next = 0;
    for (const int64_t axis : block.inputs) {
      std::vector<int64_t> sizes;
      for (int64_t product = 1; product < from[axis];) {
        sizes.push_back(atoms[next]);
        product *= atoms[next++];
      }
      if (sizes.size() == 1) {
        parts.push_back(relations.input(0, axis));
        continue;
      }
      for (Axis& part : relations.factor(relations.input(0, axis), sizes, why)) {
        parts.push_back(std::move(part));
      }
    }
  }
  size_t next = 0;
  for (const int64_t axis : block.outputs) {
    std::vector<Axis> run;
    for (int64_t product = 1; product < to[axis];) {
      product *= static_cast<int64_t>(parts[next].size());
      run.push_back(parts[next++]);
    }
    relations.output(0, axis, run.size() == 1 ? run[0] : relations.join(run), zero);
  }
}

void infer_reshape(InferContext& context) {
  if (context.graph().opset < 5) {
    const auto wanted = context.node().attributes.integers("shape");
    if (!wanted) context.fail("attribute 'shape' is missing");
    return context.set(0, context.type(0).dtype,
                       resolve_reshape(context.graph(), context.node(), context.shape(0), *wanted));
  }
  if (const auto wanted = context.integers(1)) {
    context.set(0, context.type(0).dtype,
                resolve_reshape(context.graph(), context.node(), context.shape(0), *wanted));
  }
}

void infer_flatten(InferContext& context) {
  const Shape& x = context.shape(0);
  int64_t axis = context.node().attributes.integer("axis", 1);
  if (axis < -context.rank(0) || axis > context.rank(0)) {
    context.fail("axis " + std::to_string(axis) + " is out of range for rank " +
                 std::to_string(context.rank(0)));
  }
  if (axis < 0) axis += context.rank(0);
  context.set(
      0, context.type(0).dtype,
      {element_count({x.begin(), x.begin() + axis}), element_count({x.begin() + axis, x.end()})});
}

void infer_squeeze(InferContext& context) {
  std::vector<int64_t> ones;
  for (int64_t axis = 0; axis < context.rank(0); ++axis) {
    if (context.shape(0)[axis] == 1) ones.push_back(axis);
  }
  const auto axes = axes_of(context, 1, ones);
  if (!axes) return context.give_up();
  Shape out;
  for (int64_t axis = 0; axis < context.rank(0); ++axis) {
    const bool squeezed = std::binary_search(axes->begin(), axes->end(), axis);
    if (squeezed && context.shape(0)[axis] != 1) {
      context.fail("axis " + std::to_string(axis) + " of shape " + to_string(context.shape(0)) +
                   " can't be squeezed, its size isn't 1");
    }
    if (!squeezed) out.push_back(context.shape(0)[axis]);
  }
  context.set(0, context.type(0).dtype, out);
}

void infer_unsqueeze(InferContext& context) {
  const Node& node = context.node();
  std::optional<std::vector<int64_t>> given = node.attributes.integers("axes");
  if (!given && context.has(1)) {
    given = context.integers(1);
    if (!given) return;
  }
  if (!given) context.fail("'axes' is missing");
  const int64_t rank = context.rank(0) + static_cast<int64_t>(given->size());
  Shape out(rank, 0);
  for (const int64_t axis : *given) out[resolve_axis(context.graph(), node, axis, rank)] = 1;
  size_t next = 0;
  for (int64_t& size : out) {
    if (size != 0) continue;
    if (next == context.shape(0).size()) context.fail("an axis is named twice");
    size = context.shape(0)[next++];
  }
  context.set(0, context.type(0).dtype, out);
}

// Only the shape changes, and inference knows it; so evaluation asks inference's own functions.
std::vector<Tensor> evaluate_reshape(const Graph& graph, const Node& node,
                                     std::span<const Tensor* const> inputs) {
  const Tensor& x = *inputs[0];
  if (node.op_type == "Reshape") {
    const auto wanted =
        inputs.size() > 1 ? to_int64s(*inputs[1]) : *node.attributes.integers("shape");
    return {x.reshaped(resolve_reshape(graph, node, x.shape(), wanted))};
  }
  if (node.op_type == "Flatten") {
    int64_t axis = node.attributes.integer("axis", 1);
    if (axis < 0) axis += x.rank();
    const Shape head(x.shape().begin(), x.shape().begin() + axis);
    const int64_t rows = element_count(head);
    return {x.reshaped({rows, rows == 0 ? 0 : x.size() / rows})};
  }
  const Tensor* given = inputs.size() > 1 ? inputs[1] : nullptr;
  if (node.op_type == "Unsqueeze") {
    auto added = given ? to_int64s(*given) : *node.attributes.integers("axes");
    const int64_t rank = x.rank() + static_cast<int64_t>(added.size());
    for (int64_t& axis : added) axis = resolve_axis(graph, node, axis, rank);
    std::sort(added.begin(), added.end());
    Shape out = x.shape();
    for (const int64_t axis : added) out.insert(out.begin() + axis, 1);
    return {x.reshaped(out)};
  }
  std::vector<int64_t> ones;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    if (x.shape()[axis] == 1) ones.push_back(axis);
  }
  const auto axes = *axes_of(graph, node, given, x.rank(), ones);
  Shape out;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), axis)) out.push_back(x.shape()[axis]);
  }
  return {x.reshaped(out)};
}

void repair_reshape(RepairContext& context) {
  if (context.old_input(0) == context.new_input(0)) return;
  if (context.graph().opset < 5) {
    context.set_attribute(
        "shape",
        fitting_reshape(context.graph(), context.node(), context.new_input(0),
                        *context.node().attributes.integers("shape"), context.new_output(0)));
  } else {
    context.want_shape(1, context.new_output(0));
  }
}

}  // namespace

void relate_reshape(Relations& relations) {
  const Shape &from = relations.input_shape(0), &to = relations.output_shape(0);
  if (element_count(from) == 0) return pin_input(relations, 0, PinKind::unknown, "an empty tensor");
  for (const Block& block : blocks_of(from, to)) relate_block(relations, block);
}

Shape resolve_reshape(const Graph& graph, const Node& node, const Shape& input,
                      const std::vector<int64_t>& wanted) {
  const bool zero_copies = node.attributes.integer("allowzero", 0) == 0;
  Shape out = wanted;
  std::optional<size_t> open;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] == -1 && !open) {
      open = i;
      out[i] = 1;
    } else if (out[i] == 0 && zero_copies && i < input.size()) {
      out[i] = input[i];
    } else if (out[i] < 0) {
      fail_input(where(graph, node) + ": can't reshape to " + to_string(wanted));
    }
  }
  const int64_t have = element_count(input), given = element_count(out);
  if (open) out[*open] = given == 0 ? 0 : have / given;
  if (element_count(out) != have) {
    fail_input(where(graph, node) + ": can't reshape " + to_string(input) + " (" +
               std::to_string(have) + " elements) to " + to_string(wanted));
  }
  return out;
}

std::vector<int64_t> fitting_reshape(const Graph& graph, const Node& node, const Shape& input,
                                     const std::vector<int64_t>& now, const Shape& shape) {
  const auto fits = [&](const std::vector<int64_t>& numbers) {
    // Numbers that don't fit any more are what we ask for.
    return attempt(ErrorKind::input,
                   [&] { return resolve_reshape(graph, node, input, numbers); }) == shape;
  };
  if (fits(now)) return now;
  std::vector<int64_t> replaced = now;
  for (size_t i = 0; i < replaced.size() && i < shape.size(); ++i) {
    if (replaced[i] > 0) replaced[i] = shape[i];
  }
  return fits(replaced) ? replaced : shape;
}

extern const OpDef kReshape{.type = "Reshape",
                            .arity = {1, 2},
                            .reads = {Reads::data, Reads::setting},
                            .moves = Moves::reshapes,
                            .infer = infer_reshape,
                            .relate = relate_reshape,
                            .repair = repair_reshape,
                            .evaluate = evaluate_reshape};
extern const OpDef kFlatten{.type = "Flatten",
                            .arity = {1, 1},
                            .reads = {Reads::data},
                            .moves = Moves::reshapes,
                            .infer = infer_flatten,
                            .relate = relate_reshape,
                            .evaluate = evaluate_reshape};
extern const OpDef kSqueeze{.type = "Squeeze",
                            .arity = {1, 2},
                            .reads = {Reads::data, Reads::setting},
                            .moves = Moves::reshapes,
                            .infer = infer_squeeze,
                            .relate = relate_reshape,
                            .evaluate = evaluate_reshape};
extern const OpDef kUnsqueeze{.type = "Unsqueeze",
                              .arity = {1, 2},
                              .reads = {Reads::data, Reads::setting},
                              .moves = Moves::reshapes,
                              .infer = infer_unsqueeze,
                              .relate = relate_reshape,
                              .evaluate = evaluate_reshape};

}  // namespace coppice
