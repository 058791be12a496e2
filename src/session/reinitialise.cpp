// See reinitialise.h. What a weight is comes from its first reader (parameters.h), its fans from
// the shape in which that reads it, whatever reshapes lie between.
#include "session/reinitialise.h"

#include <algorithm>

#include "core/error.h"
#include "graph/infer.h"
#include "graph/op.h"
#include "graph/passes/separate_vectors.h"
#include "graph/views/batch_norm.h"
#include "graph/views/constants_behind.h"
#include "graph/views/linear_layer.h"
#include "training/parameters.h"

namespace coppice {
namespace {

constexpr float kSlope = 0.25f;               // of PRelu
constexpr uint64_t kDrawStream = 0x64726177;  // "draw": no other stream of the seed is like it

// `shape`: in which the node reads it as that input.
std::optional<Fans> fans_at(const Node& node, int input, const Shape& shape) {
  const auto layer = linear_layer_of(node, input);
  if (!layer) return std::nullopt;
  const auto size = [&](int64_t axis) { return shape[from_the_front(axis, std::ssize(shape))]; };
  Shape as_filters{size(layer->outputs), size(layer->inputs)};
  if (layer->convolves()) as_filters.insert(as_filters.end(), shape.begin() + 2, shape.end());
  return fans_of(as_filters);
}

Fans at_density(const Fans& fans, const Masks& masks, const std::string& name) {
  const auto mask = masks.find(name);
  if (mask == masks.end()) return fans;
  const std::span<const float> stays = mask->second.as<float>();
  const auto left =
      static_cast<double>(stays.size()) - static_cast<double>(std::ranges::count(stays, 0.0f));
  const double density = std::max(1.0, left) / static_cast<double>(stays.size());
  return {.in = fans.in * density, .out = fans.out * density};
}

class Drawer {
 public:
  Drawer(Graph& graph, const Reinitialisation& how)
      : graph_(graph),
        how_(how),
        by_(how.by ? *how.by : initialisation_of(graph).value_or(Initialisation{})),
        inferred_(infer(graph)) {}

  void run() {
    for (const Parameter& parameter : trained_parameters(graph_)) visit(parameter);
    const std::vector<ValueId> source = constants_behind(graph_);
    for (const Node& node : graph_.nodes) {
      if (!is_batch_norm_at_inference(node) || node.inputs.size() < 5) continue;
      if (const ValueId mean = source[node.inputs[3]]; mean != kNoValue) fill(mean, 0);
      if (const ValueId variance = source[node.inputs[4]]; variance != kNoValue) fill(variance, 1);
    }
  }

 private:
  void visit(const Parameter& parameter) {
    const Node& node = graph_.nodes[parameter.node];
    if (parameter.kind == Parameter::Kind::bias) return fill(parameter.id, 0);
    switch (reads_as(node, parameter.input)) {
      case Reads::slope: return fill(parameter.id, kSlope);
      case Reads::scale: return fill(parameter.id, is_batch_norm(node) ? by_.norm_scale : 1);
      case Reads::shift: return fill(parameter.id, 0);
      default: break;
    }
    const ValueId read = node.inputs[parameter.input];
    if (!inferred_.has(read)) fail(node, parameter, "its shape can't be inferred");
    const auto fans = fans_at(node, parameter.input, inferred_.shape(read));
    if (!fans) fail(node, parameter, "no initialisation is known for such weights");
    const bool convolves = linear_layer_of(node, parameter.input)->convolves();
    draw(parameter.id, *fans, convolves ? by_.conv : by_.linear);
  }

  [[noreturn]] void fail(const Node& node, const Parameter& parameter, const std::string& why) {
    fail_input(where(graph_, node) + ": '" + graph_.value(parameter.id).name +
               "' can't be drawn anew: " + why);
  }

  void draw(ValueId id, const Fans& fans, Initialise initialise) {
    Tensor drawn = Tensor::zeros(DType::f32, graph_.value(id).constant->shape());
    Random random = Random::stream(how_.seed, {kDrawStream, drawn_++});
    initialise(random, at_density(fans, how_.masks, graph_.value(id).name), drawn.mutate<float>());
    graph_.value(id).constant = std::move(drawn);
  }

  void fill(ValueId id, float value) {
    Tensor filled = Tensor::zeros(DType::f32, graph_.value(id).constant->shape());
    std::ranges::fill(filled.mutate<float>(), value);
    graph_.value(id).constant = std::move(filled);
  }

  Graph& graph_;
  const Reinitialisation& how_;
  Initialisation by_;
  Inferred inferred_;
  uint64_t drawn_ = 0;
};

}  // namespace

void reinitialise(Graph& graph, const Reinitialisation& how) {
  separate_vectors(graph);
  Drawer(graph, how).run();
}

}  // namespace coppice
