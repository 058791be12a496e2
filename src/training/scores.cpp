// See scores.h.
#include "training/scores.h"

#include <cmath>
#include <limits>

#include "graph/infer.h"
#include "graph/is_onnx.h"
#include "graph/views/only_reshapes.h"

namespace coppice {
namespace {

// Of a row's sum. Softmax in float16 is off by a quarter of it; Sigmoids of a trained net, which
// give nearly one class to each image, are farther off in one image of many.
constexpr double kSumTolerance = 1e-3;

// Whether a Softmax makes one distribution of everything that it has for an image.
bool over_all_classes(const Graph& graph, const Node& node) {
  const Inferred inferred = infer(graph);
  if (!inferred.has(node.inputs[0])) return false;
  const Shape& shape = inferred.shape(node.inputs[0]);
  const bool rows = graph.opset < 13;  // then the axes from `axis` on are one
  const int64_t axis =
      resolve_axis(graph, node, node.attributes.integer("axis", rows ? 1 : -1), std::ssize(shape));
  const int64_t together = rows ? element_count({shape.begin() + axis, shape.end()}) : shape[axis];
  return !shape.empty() && together * shape[0] == element_count(shape);
}

struct Scaled {
  ValueId id;
  double by = 1;
};

// The one element of a constant; 0 for anything else.
double factor_in(const Graph& graph, ValueId id) {
  const auto& constant = graph.value(id).constant;
  if (!constant || constant->dtype() != DType::f32 || constant->size() != 1) return 0;
  return constant->as<float>()[0];
}

// What `node` multiplies with a constant above 0, or divides by one; nothing for other nodes.
std::optional<Scaled> scaled_from(const Graph& graph, const Node& node) {
  const bool times = is_onnx(node, "Mul");
  if (!times && !is_onnx(node, "Div")) return std::nullopt;
  const double second = factor_in(graph, node.inputs[1]);
  if (second > 0) return Scaled{node.inputs[0], times ? second : 1 / second};
  const double first = times ? factor_in(graph, node.inputs[0]) : 0;
  if (first > 0) return Scaled{node.inputs[1], first};
  return std::nullopt;
}

bool is_near(double found, double expected) {
  return std::fabs(found - expected) <= kSumTolerance * std::fabs(expected);
}

// The sum that all rows have, 0 for none.
double common_sum(std::span<const float> outputs, int64_t rows) {
  const int64_t width = std::ssize(outputs) / rows;
  double common = 0;
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (const float x : outputs.subspan(row * width, width)) sum += x;
    if (row == 0) common = sum;
    if (!is_near(sum, common)) return 0;  // NaN, too
  }
  return common;
}

}  // namespace

ScoreForm score_form(const Graph& graph) {
  const std::vector<int32_t> producer = producers(graph);
  ScoreForm form{.range = value_ranges(graph)[graph.outputs.front()],
                 .certain = {},
                 .logits = graph.outputs.front()};
  if (form.range.low < 0) form.certain = ScoreKind::logits;
  Scaled last{graph.outputs.front()};
  bool scaled = false;
  while (producer[last.id] >= 0) {
    const Node& node = graph.nodes[producer[last.id]];
    const std::optional<Scaled> from = scaled_from(graph, node);
    if (!from && !only_reshapes(node)) break;
    last = from ? Scaled{from->id, last.by * from->by} : Scaled{node.inputs[0], last.by};
    scaled = scaled || from;
  }
  if (producer[last.id] < 0) return form;
  const Node& node = graph.nodes[producer[last.id]];
  // What a Softmax was multiplied with shows in the sums.
  const bool softmax = !scaled && is_onnx(node, "Softmax") && over_all_classes(graph, node);
  if (!softmax && !is_onnx(node, "Sigmoid")) return form;
  form.certain = softmax ? ScoreKind::probabilities : ScoreKind::chances;
  form.logits = node.inputs[0];
  form.scale = last.by;
  return form;
}

ScoreKind kind_of(const ScoreForm& form, std::span<const float> outputs, int64_t images) {
  if (form.certain) return *form.certain;
  if (form.range.low < 0 || images == 0) return ScoreKind::logits;
  const double sum = common_sum(outputs, images);
  // 1, or what a softmax was multiplied with: then that is also the most that one class can have.
  if (sum > 0 && (is_near(sum, 1) || is_near(sum, form.range.high)))
    return ScoreKind::probabilities;
  return form.range.high <= 1 ? ScoreKind::chances : ScoreKind::logits;
}

std::string name_of(ScoreKind scores) {
  constexpr const char* kNames[] = {"logits", "probabilities", "chances"};
  return kNames[static_cast<int>(scores)];
}

}  // namespace coppice
