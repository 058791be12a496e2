// Resize and Upsample: channels pass, pixels are interpolated.
//
// The target is given by scales or by sizes: attributes or inputs, whatever the opset. Sizes list
// every axis, the channels' too, so they are repaired after a cut; the scale of an axis that keeps
// its size is one and needs no repair.

#include "graph/ops/resize.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"

namespace coppice {
namespace {

bool has_elements(const Tensor* tensor) { return tensor && tensor->size() > 0; }

std::vector<float> scales_from(const Graph& graph, const Node& node, const Tensor* given) {
  if (!given) return node.attributes.reals("scales").value_or(std::vector<float>{});
  if (given->dtype() != DType::f32) {
    fail_input(where(graph, node) + ": scales are " + name_of(given->dtype()) +
               ", expected float32");
  }
  return {given->as<float>().begin(), given->as<float>().end()};
}

// One entry an axis, whatever `axes` (opset 18) left out.
template <typename T>
std::vector<T> for_all_axes(const Graph& graph, const Node& node, const std::vector<T>& given,
                            const std::vector<T>& otherwise) {
  const auto rank = static_cast<int64_t>(otherwise.size());
  const auto axes = node.attributes.integers("axes");
  std::vector<T> all = otherwise;
  const size_t count = axes ? axes->size() : otherwise.size();
  if (given.size() != count) {
    fail_input(where(graph, node) + ": scales or sizes have " + std::to_string(given.size()) +
               " entries, expected " + std::to_string(count));
  }
  for (size_t i = 0; i < count; ++i) {
    all[axes ? resolve_axis(graph, node, (*axes)[i], rank) : static_cast<int64_t>(i)] = given[i];
  }
  return all;
}

void infer_resize(InferContext& context) {
  const ResizePlaces places = resize_places(context.graph(), context.node());
  for (const int input : {places.scales, places.sizes}) {
    if (input >= 0 && context.has(input) && !context.known(input)) return context.give_up();
  }
  if (context.node().attributes.text("keep_aspect_ratio_policy", "stretch") != "stretch") {
    return context.give_up();
  }
  const auto target = resize_target(context.graph(), context.node(), context.shape(0),
                                    places.scales < 0 ? nullptr : context.known(places.scales),
                                    places.sizes < 0 ? nullptr : context.known(places.sizes));
  if (!target) context.fail("neither scales nor sizes are given");
  context.set(0, context.type(0).dtype, target->shape);
}

void relate_resize(Relations& relations) {
  // Crops may be filled with a number of their own.
  const bool fills = relations.node().attributes.text("coordinate_transformation_mode", "") ==
                     "tf_crop_and_resize";
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    if (relations.input_shape(0)[axis] != relations.output_shape(0)[axis]) {
      relations.pin(relations.input(0, axis), PinKind::meaning, "resized");
      continue;
    }
    relations.output(0, axis, relations.input(0, axis),
                     !fills && relations.zero_when_dead(0, axis));
  }
}

void repair_resize(RepairContext& context) {
  if (context.unchanged()) return;
  const ResizePlaces places = resize_places(context.graph(), context.node());
  if (places.sizes < 0 || !has_elements(context.known(places.sizes))) return;
  const Shape& wanted = context.new_output(0);
  const auto axes = context.node().attributes.integers("axes");
  if (!axes) return context.want(places.sizes, wanted);
  std::vector<int64_t> listed;
  for (const int64_t axis : *axes) {
    listed.push_back(wanted[resolve_axis(context.graph(), context.node(), axis,
                                         static_cast<int64_t>(wanted.size()))]);
  }
  context.want(places.sizes, listed);
}

struct Rules {
  std::string coordinates, rounding;
  bool linear = false;
};

Rules rules_of(const Graph& graph, const Node& node) {
  const bool upsample = node.op_type == "Upsample" || graph.opset < 11;
  Rules rules;
  rules.coordinates = node.attributes.text("coordinate_transformation_mode",
                                           upsample ? "asymmetric" : "half_pixel");
  rules.rounding = node.attributes.text("nearest_mode", upsample ? "floor" : "round_prefer_floor");
  const std::string mode = node.attributes.text("mode", "nearest");
  rules.linear = mode == "linear";
  if (mode != "linear" && mode != "nearest") {
    fail_input(where(graph, node) + ": mode '" + mode + "' can't be run; nearest and linear can");
  }
  constexpr std::string_view kCoordinates[] = {"asymmetric", "align_corners", "half_pixel",
                                               "pytorch_half_pixel"};
  if (std::ranges::find(kCoordinates, rules.coordinates) == std::end(kCoordinates)) {
    fail_input(where(graph, node) + ": coordinate_transformation_mode '" + rules.coordinates +
               "' can't be run");
  }
  if (node.attributes.integer("antialias", 0) != 0) {
    fail_input(where(graph, node) + ": 'antialias' can't be run");
  }
  const std::string policy = node.attributes.text("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") {
    fail_input(where(graph, node) + ": keep_aspect_ratio_policy '" + policy + "' can't be run");
  }
  return rules;
}

double position(const std::string& coordinates, int64_t i, double scale, int64_t in, int64_t out) {
  const auto at = static_cast<double>(i);
  if (coordinates == "asymmetric") return at / scale;
  if (coordinates == "align_corners") {
    return out == 1 ? 0 : at * static_cast<double>(in - 1) / static_cast<double>(out - 1);
  }
  if (coordinates == "pytorch_half_pixel" && out == 1) return 0;
  return (at + 0.5) / scale - 0.5;
}

double rounded(const std::string& rounding, double x) {
  if (rounding == "floor") return std::floor(x);
  if (rounding == "ceil") return std::ceil(x);
  if (rounding == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);
}

std::vector<Blend> blends_of(const Rules& rules, double scale, int64_t in, int64_t out) {
  std::vector<Blend> blends;
  const auto held = [&](double x) {
    return std::clamp<int64_t>(static_cast<int64_t>(x), 0, in - 1);
  };
  for (int64_t i = 0; i < out; ++i) {
    const double x = position(rules.coordinates, i, scale, in, out);
    if (rules.linear) {
      const double inside = std::clamp(x, 0.0, static_cast<double>(in - 1));
      const double low = std::floor(inside);
      blends.push_back({held(low), held(low + 1), inside - low});
    } else {
      const int64_t nearest = held(rounded(rules.rounding, x));
      blends.push_back({nearest, nearest, 0});
    }
  }
  return blends;
}

}  // namespace

ResizePlaces resize_places(const Graph& graph, const Node& node) {
  if (node.op_type == "Upsample" || graph.opset < 11) return {graph.opset < 9 ? -1 : 1, -1};
  return {2, 3};
}

std::optional<ResizeTarget> resize_target(const Graph& graph, const Node& node, const Shape& input,
                                          const Tensor* scales, const Tensor* sizes) {
  ResizeTarget target{input, std::vector<double>(input.size(), 1)};
  if (has_elements(sizes)) {
    target.shape = for_all_axes(graph, node, to_int64s(*sizes), input);
    for (size_t axis = 0; axis < input.size(); ++axis) {
      target.scales[axis] = input[axis] == 0 ? 1
                                             : static_cast<double>(target.shape[axis]) /
                                                   static_cast<double>(input[axis]);
    }
    return target;
  }
  const std::vector<float> given =
      scales_from(graph, node, has_elements(scales) ? scales : nullptr);
  if (given.empty()) return std::nullopt;
  const auto all = for_all_axes(graph, node, given, std::vector<float>(input.size(), 1));
  for (size_t axis = 0; axis < input.size(); ++axis) {
    target.scales[axis] = all[axis];
    target.shape[axis] =
        static_cast<int64_t>(std::floor(static_cast<float>(input[axis]) * all[axis]));
  }
  return target;
}

std::optional<std::vector<Blend>> resize_blends(const Graph& graph, const Node& node,
                                                const Shape& input, const ResizeTarget& target,
                                                int64_t axis) {
  const Rules rules = rules_of(graph, node);
  const double scale = target.scales[axis];
  if (input[axis] == target.shape[axis] && scale == 1) return std::nullopt;
  return blends_of(rules, scale, input[axis], target.shape[axis]);
}

extern const OpDef kResize{.type = "Resize",
                           .arity = {1, 4},
                           .reads = {Reads::data, Reads::setting, Reads::setting, Reads::setting},
                           .infer = infer_resize,
                           .relate = relate_resize,
                           .repair = repair_resize};
extern const OpDef kUpsample{.type = "Upsample",
                             .arity = {1, 2},
                             .reads = {Reads::data, Reads::setting},
                             .infer = infer_resize,
                             .relate = relate_resize};

}  // namespace coppice
