// Pad: zero padding of a tracked axis is new removable indices (ResNet's option-A shortcut pads
// channels), concatenated around the old ones; modes that copy pin it.
#include "graph/ops/pad.h"

#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_pad(InferContext& context) {
  for (int i : {1, 3}) {
    if (context.has(i) && !context.known(i)) return context.give_up();
  }
  const auto pads =
      pads_of(context.graph(), context.node(), context.rank(0), context.known(1), context.known(3));
  if (!pads) return context.give_up();
  Shape out = context.shape(0);
  for (size_t axis = 0; axis < out.size(); ++axis)
    out[axis] += (*pads)[axis] + (*pads)[out.size() + axis];
  context.set(0, context.type(0).dtype, out);
}

bool pads_with_zero(const Relations& relations) {
  if (relations.node().attributes.real("value", 0) != 0) return false;
  if (!relations.has_input(2)) return true;
  const Tensor* value = relations.known(2);
  return value && value->dtype() == DType::f32 && value->size() == 1 && value->as<float>()[0] == 0;
}

void relate_pad(Relations& relations) {
  const int64_t rank = relations.rank(0);
  const auto pads =
      pads_of(relations.graph(), relations.node(), rank, relations.known(1), relations.known(3));
  const bool constant = relations.node().attributes.text("mode", "constant") == "constant";
  const bool zero = pads_with_zero(relations);
  for (int64_t axis = 0; axis < rank; ++axis) {
    const int64_t begin = (*pads)[axis], end = (*pads)[rank + axis];
    const Axis& labels = relations.input(0, axis);
    if (begin == 0 && end == 0) {
      relations.output(0, axis, labels, relations.zero_when_dead(0, axis) && (zero || !constant));
      continue;
    }
    // Why: pads around an image's pixels need no labels; only an axis with labels gets new ones.
    const bool tracked =
        std::any_of(labels.begin(), labels.end(), [](Label l) { return l != kAlways; });
    if (!tracked) continue;
    if (!constant || begin < 0 || end < 0) {
      relations.pin(labels, PinKind::meaning, "padded by copies, or cropped");
      continue;
    }
    Axis padded = relations.fresh(begin + end);
    padded.insert(padded.begin() + begin, labels.begin(), labels.end());
    relations.output(0, axis, std::move(padded), zero && relations.zero_when_dead(0, axis));
  }
}

std::vector<Tensor> evaluate_pad(const Graph& graph, const Node& node,
                                 std::span<const Tensor* const> inputs) {
  const auto pick = [&](size_t i) { return i < inputs.size() ? inputs[i] : nullptr; };
  const Tensor& x = *inputs[0];
  const auto pads = *pads_of(graph, node, x.rank(), pick(1), pick(3));
  float value = node.attributes.real("value", 0);
  if (pick(2) && pick(2)->dtype() == DType::f32 && pick(2)->size() == 1) {
    value = pick(2)->as<float>()[0];
  }
  Tensor result = x;
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    const int64_t begin = pads[axis], end = pads[x.rank() + axis], size = x.shape()[axis];
    if (begin == 0 && end == 0) continue;
    if (size == 0) fail_input(where(graph, node) + ": can't pad an empty axis");
    std::vector<int64_t> places = padded_places(graph, node, size, begin, end), padding;
    for (size_t i = 0; i < places.size(); ++i) {
      if (places[i] != kPadding) continue;
      padding.push_back(static_cast<int64_t>(i));
      places[i] = 0;  // taken, and written over
    }
    result = take(result, axis, places);
    fill_slices(result, axis, padding, value);
  }
  return {std::move(result)};
}

void repair_pad(RepairContext& context) {
  if (context.unchanged()) return;
  const auto rank = static_cast<int64_t>(context.old_input(0).size());
  auto pads = *pads_of(context.graph(), context.node(), rank, context.known(1), context.known(3));
  for (int64_t axis = 0; axis < rank; ++axis) {
    const std::vector<bool> alive = context.output_alive(0, axis);
    if (pads[axis] > 0) {
      pads[axis] = std::count(alive.begin(), alive.begin() + pads[axis], true);
    }
    if (pads[rank + axis] > 0) {
      pads[rank + axis] = std::count(alive.end() - pads[rank + axis], alive.end(), true);
    }
  }
  if (context.graph().opset < 11) return context.set_attribute("pads", pads);
  if (const Tensor* axes = context.has_input(3) ? context.known(3) : nullptr) {
    std::vector<int64_t> listed;
    for (const int64_t base : {int64_t{0}, rank}) {
      for (const int64_t axis : to_int64s(*axes)) {
        listed.push_back(pads[base + resolve_axis(context.graph(), context.node(), axis, rank)]);
      }
    }
    pads = listed;
  }
  context.want(1, pads);
}

// A crop on one side and a pad on the other keep the shape, but not the content.
bool pads_nothing(const Node& node, const Shape&, std::span<const Tensor* const> known) {
  std::vector<int64_t> pads = node.attributes.integers("pads").value_or(std::vector<int64_t>{});
  if (node.inputs.size() > 1 && node.inputs[1] != kNoValue) {
    if (!known[1]) return false;
    pads = to_int64s(*known[1]);
  }
  return std::ranges::all_of(pads, [](int64_t pad) { return pad == 0; });
}

enum class PadMode { constant, edge, reflect, wrap };

PadMode mode_of(const Graph& graph, const Node& node) {
  const std::string mode = node.attributes.text("mode", "constant");
  if (mode == "constant") return PadMode::constant;
  if (mode == "edge") return PadMode::edge;
  if (mode == "reflect") return PadMode::reflect;
  if (mode == "wrap") return PadMode::wrap;
  fail_input(where(graph, node) + ": mode '" + mode +
             "', expected constant, edge, reflect or wrap");
}

// Within [0, period), as a remainder is of positive numbers.
int64_t within(int64_t place, int64_t period) { return ((place % period) + period) % period; }

int64_t source_of(PadMode mode, int64_t place, int64_t size) {
  if (place >= 0 && place < size) return place;
  if (mode == PadMode::constant) return kPadding;
  if (mode == PadMode::edge) return std::clamp<int64_t>(place, 0, size - 1);
  if (mode == PadMode::wrap) return within(place, size);
  if (size == 1) return 0;
  const int64_t there_and_back = within(place, 2 * (size - 1));
  return std::min(there_and_back, 2 * (size - 1) - there_and_back);
}

}  // namespace

std::vector<int64_t> padded_places(const Graph& graph, const Node& node, int64_t size,
                                   int64_t begin, int64_t end) {
  const PadMode mode = mode_of(graph, node);
  const int64_t first = std::max<int64_t>(0, -begin);
  const int64_t left = size - first - std::max<int64_t>(0, -end);
  if (left <= 0 && mode != PadMode::constant) {
    fail_input(where(graph, node) + ": there is nothing to copy around an empty axis");
  }
  std::vector<int64_t> places;
  for (int64_t place = -std::max<int64_t>(0, begin); place < left + std::max<int64_t>(0, end);
       ++place) {
    const int64_t source = source_of(mode, place, left);
    places.push_back(source == kPadding ? kPadding : first + source);
  }
  return places;
}

std::optional<std::vector<int64_t>> pads_of(const Graph& graph, const Node& node, int64_t rank,
                                            const Tensor* pads, const Tensor* axes) {
  std::vector<int64_t> given;
  if (graph.opset < 11) {
    given = node.attributes.integers("pads").value_or(std::vector<int64_t>{});
  } else {
    if (!pads) return std::nullopt;
    given = to_int64s(*pads);
  }
  std::vector<int64_t> along;
  if (axes) {
    along = to_int64s(*axes);
  } else {
    for (int64_t axis = 0; axis < rank; ++axis) along.push_back(axis);
  }
  if (given.size() != 2 * along.size()) {
    fail_input(where(graph, node) + ": pads has " + std::to_string(given.size()) +
               " entries, expected " + std::to_string(2 * along.size()));
  }
  std::vector<int64_t> all(2 * rank, 0);
  for (size_t i = 0; i < along.size(); ++i) {
    const int64_t axis = resolve_axis(graph, node, along[i], rank);
    all[axis] = given[i];
    all[rank + axis] = given[along.size() + i];
  }
  return all;
}

extern const OpDef kPad{.type = "Pad",
                        .arity = {1, 4},
                        .reads = {Reads::data, Reads::setting, Reads::setting, Reads::setting},
                        .infer = infer_pad,
                        .relate = relate_pad,
                        .repair = repair_pad,
                        .evaluate = evaluate_pad,
                        .idle = pads_nothing};

}  // namespace coppice
