// Slice: some of the labels on each sliced axis. After a cut the bounds are counted anew from what
// is left of the range; picks by a step that are no longer evenly apart become a Gather.

#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

const Tensor* pick(std::span<const Tensor* const> inputs, size_t index) {
  return index < inputs.size() ? inputs[index] : nullptr;
}

std::optional<std::vector<SliceRange>> ranges_in(const Relations& relations) {
  return slice_ranges(relations.graph(), relations.node(), relations.input_shape(0),
                      relations.known(1), relations.known(2), relations.known(3),
                      relations.known(4));
}

void infer_slice(InferContext& context) {
  for (int i = 1; i <= 4; ++i) {
    if (context.has(i) && !context.known(i)) return context.give_up();
  }
  const auto ranges =
      slice_ranges(context.graph(), context.node(), context.shape(0), context.known(1),
                   context.known(2), context.known(3), context.known(4));
  if (!ranges) return context.give_up();
  Shape out = context.shape(0);
  for (const SliceRange& range : *ranges) out[range.axis] = range.count;
  context.set(0, context.type(0).dtype, out);
}

void relate_slice(Relations& relations) {
  const auto ranges = ranges_in(relations);
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    Axis labels = relations.input(0, axis);
    for (const SliceRange& range : *ranges) {
      if (range.axis != axis) continue;
      if (range.step != 1 && ranges->size() > 1) {
        relations.pin(labels, PinKind::meaning, "sliced with a step, as other axes are");
      }
      Axis picked;
      for (int64_t i = 0; i < range.count; ++i) {
        picked.push_back(labels[range.start + i * range.step]);
      }
      labels = std::move(picked);
    }
    relations.output(0, axis, std::move(labels), relations.zero_when_dead(0, axis));
  }
}

std::vector<Tensor> evaluate_slice(const Graph& graph, const Node& node,
                                   std::span<const Tensor* const> inputs) {
  const auto ranges = slice_ranges(graph, node, inputs[0]->shape(), pick(inputs, 1),
                                   pick(inputs, 2), pick(inputs, 3), pick(inputs, 4));
  COPPICE_CHECK(ranges.has_value(), where(graph, node) + ": run without its bounds");
  Tensor result = *inputs[0];
  for (const SliceRange& range : *ranges) {
    std::vector<int64_t> keep(range.count);
    for (int64_t i = 0; i < range.count; ++i) keep[i] = range.start + i * range.step;
    result = take(result, range.axis, keep);
  }
  return {std::move(result)};
}

}  // namespace

std::vector<int64_t> places_after(const std::vector<bool>& alive) {
  std::vector<int64_t> places;
  int64_t next = 0;
  for (const bool stays : alive) {
    places.push_back(next);
    next += stays;
  }
  return places;
}

namespace {

// Where what a range picked, and still is there, lies now.
std::vector<int64_t> picks_after(const RepairContext& context, const SliceRange& old) {
  const std::vector<bool> alive = context.input_alive(0, old.axis);
  const std::vector<int64_t> place = places_after(alive);
  std::vector<int64_t> picks;
  for (int64_t i = 0; i < old.count; ++i) {
    const int64_t index = old.start + i * old.step;
    if (alive[index]) picks.push_back(place[index]);
  }
  return picks;
}

// The old range once indices have left; nothing where no range picks what is left of it. Several
// axes are sliced with a step only where they keep their sizes.
std::optional<SliceRange> range_after(const RepairContext& context, const SliceRange& old) {
  if (context.old_input(0)[old.axis] == context.new_input(0)[old.axis]) return old;
  const std::vector<int64_t> picks = picks_after(context, old);
  const auto count = std::ssize(picks);
  SliceRange range{old.axis, count > 0 ? picks[0] : 0, old.step, count};
  if (old.step == 1) {
    const std::vector<bool> alive = context.input_alive(0, old.axis);
    range.start = std::count(alive.begin(), alive.begin() + old.start, true);
    return range;
  }
  if (count > 1) range.step = picks[1] - picks[0];
  for (int64_t i = 0; i < count; ++i) {
    if (picks[i] != range.start + i * range.step) return std::nullopt;
  }
  return range;
}

// Bounds that still give the right range stay as they are: an end of INT64_MAX, or one that is
// computed, also holds at sizes that nobody has seen yet.
void repair_slice(RepairContext& context) {
  if (context.unchanged()) return;
  const Graph& graph = context.graph();
  const Node& node = context.node();
  const bool attributes = graph.opset < 10;
  const Tensor *axes = context.known(3), *steps = context.known(4);
  const auto old = slice_ranges(graph, node, context.old_input(0), context.known(1),
                                context.known(2), axes, steps);
  const auto now =
      slice_ranges(graph, node, context.new_input(0), context.now(1), context.now(2), axes, steps);
  std::vector<int64_t> starts(old->size()), ends(old->size()), by(old->size());
  if (now) {
    starts = attributes ? *node.attributes.integers("starts") : to_int64s(*context.now(1));
    ends = attributes ? *node.attributes.integers("ends") : to_int64s(*context.now(2));
  }
  for (size_t i = 0; i < old->size(); ++i) {
    const auto wanted = range_after(context, (*old)[i]);
    if (!wanted) {
      return context.become_gather((*old)[i].axis, picks_after(context, (*old)[i]));
    }
    by[i] = wanted->step;
    const bool right = now && (*now)[i].start == wanted->start && (*now)[i].step == wanted->step;
    if (right && (*now)[i].count == wanted->count) continue;
    starts[i] = wanted->start;
    ends[i] = wanted->start + wanted->count * wanted->step;
    if (ends[i] < 0) ends[i] = INT64_MIN;
  }
  if (attributes) {
    context.set_attribute("starts", starts);
    context.set_attribute("ends", ends);
    return;
  }
  context.want(1, starts);
  context.want(2, ends);
  if (context.has_input(4)) context.want(4, by);
}

// Every slice that keeps the shape keeps the order, unless it walks backwards.
bool goes_forward(const Node& node, const Shape&, std::span<const Tensor* const> known) {
  if (node.inputs.size() < 5 || node.inputs[4] == kNoValue) return true;
  return known[4] &&
         std::ranges::all_of(to_int64s(*known[4]), [](int64_t step) { return step > 0; });
}

}  // namespace

std::optional<std::vector<SliceRange>> slice_ranges(const Graph& graph, const Node& node,
                                                    const Shape& shape, const Tensor* starts,
                                                    const Tensor* ends, const Tensor* axes,
                                                    const Tensor* steps) {
  std::vector<int64_t> from, to, along, by;
  if (graph.opset < 10) {
    from = node.attributes.integers("starts").value_or(std::vector<int64_t>{});
    to = node.attributes.integers("ends").value_or(std::vector<int64_t>{});
    along = node.attributes.integers("axes").value_or(std::vector<int64_t>{});
  } else {
    if (!starts || !ends) return std::nullopt;
    from = to_int64s(*starts);
    to = to_int64s(*ends);
    if (axes) along = to_int64s(*axes);
    if (steps) by = to_int64s(*steps);
  }
  if (along.empty()) {
    for (size_t i = 0; i < from.size(); ++i) along.push_back(static_cast<int64_t>(i));
  }
  by.resize(by.empty() ? from.size() : by.size(), 1);
  if (to.size() != from.size() || along.size() != from.size() || by.size() != from.size()) {
    fail_input(where(graph, node) + ": starts, ends, axes and steps have different lengths");
  }
  std::vector<SliceRange> ranges;
  const auto rank = static_cast<int64_t>(shape.size());
  std::vector<char> sliced(shape.size(), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    const int64_t axis = resolve_axis(graph, node, along[i], rank), size = shape[axis];
    if (by[i] == 0) fail_input(where(graph, node) + ": a step of 0");
    if (sliced[axis]++) {
      fail_input(where(graph, node) + ": axis " + std::to_string(axis) + " is sliced twice");
    }
    by[i] = std::clamp<int64_t>(by[i], -INT64_MAX, INT64_MAX);  // so that it has a negative
    const int64_t low = by[i] > 0 ? 0 : -1, high = by[i] > 0 ? size : size - 1;
    const int64_t start =
        std::clamp(from[i] < 0 ? from[i] + size : from[i], by[i] > 0 ? 0 : low + (size > 0), high);
    const int64_t stop = std::clamp(to[i] < 0 && to[i] >= -size ? to[i] + size : to[i], low, high);
    const int64_t span = by[i] > 0 ? stop - start : start - stop;
    const int64_t step = by[i] > 0 ? by[i] : -by[i];
    ranges.push_back({axis, start, by[i], span <= 0 ? 0 : (span - 1) / step + 1});
  }
  return ranges;
}

extern const OpDef kSlice{
    .type = "Slice",
    .arity = {1, 5},
    .reads = {Reads::data, Reads::setting, Reads::setting, Reads::setting, Reads::setting},
    .moves = Moves::picks,
    .infer = infer_slice,
    .relate = relate_slice,
    .repair = repair_slice,
    .evaluate = evaluate_slice,
    .idle = goes_forward};

}  // namespace coppice
