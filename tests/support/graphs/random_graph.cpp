#include "support/graphs/random_graph.h"

#include <cmath>
#include <numeric>

namespace coppice {

Shape RandomGraph::shape(ValueId id) const {
  return infer(graph_, {.inputs = {}, .batch = 2}).shape(id);
}

ValueId RandomGraph::weight(const Shape& shape) {
  Tensor tensor = Tensor::zeros(DType::f32, shape);
  const auto fan_in = static_cast<double>(tensor.size() / shape[0]);
  random_.fill_normal(tensor.mutate<float>(), static_cast<float>(1 / std::sqrt(fan_in)));
  return add_constant(graph_, name(), std::move(tensor));
}

ValueId RandomGraph::vector(int64_t count, bool positive) {
  Tensor tensor = Tensor::zeros(DType::f32, {count});
  random_.fill_uniform(tensor.mutate<float>(), positive ? 0.5f : -1, 1.5f);
  return add_constant(graph_, name(), std::move(tensor));
}

ValueId RandomGraph::ints(const std::vector<int64_t>& values) {
  return add_constant(graph_, name(), Tensor::vector(values));
}

ValueId RandomGraph::node(const std::string& op, std::vector<ValueId> inputs,
                          Attributes attributes) {
  const ValueId out = add_value(graph_, name());
  add_node(graph_, op, std::move(inputs), {out}, std::move(attributes));
  return out;
}

ValueId RandomGraph::convolve(ValueId x, int64_t filters, int64_t kernel, int64_t group) {
  const ValueId w = weight({filters, shape(x)[1] / group, kernel, kernel});
  std::vector<ValueId> inputs{x, w};
  if (chance(0.5)) inputs.push_back(vector(filters));
  const int64_t pad = kernel / 2;
  return node("Conv", inputs,
              {{"group", group}, {"pads", std::vector<int64_t>{pad, pad, pad, pad}}});
}

ValueId RandomGraph::pick_like(ValueId other) {
  const Shape wanted = shape(other);
  for (int attempt = 0; attempt < 4; ++attempt) {
    const ValueId found = pick();
    const Shape given = shape(found);
    if (given[2] == wanted[2] && given[3] == wanted[3]) return found;
  }
  return other;
}

void RandomGraph::conv() { keep(convolve(pick(), between(2, 7), chance(0.5) ? 1 : 3)); }

void RandomGraph::grouped_conv() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1];
  for (const int64_t group : {2, 3, 4}) {
    if (channels % group == 0 && chance(0.6))
      return keep(convolve(x, group * between(1, 3), 3, group));
  }
}

void RandomGraph::depthwise_conv() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1];
  keep(convolve(x, channels * between(1, 2), 3, channels));
}

void RandomGraph::shared_conv() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1];
  const ValueId w = weight({channels, channels, 1, 1});
  const ValueId once = node("Relu", {node("Conv", {x, w})});
  keep(node("Conv", {once, w}));
}

// The weight lies transposed, or flat, and gets its shape in the graph.
void RandomGraph::twisted_weight() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1], filters = between(2, 6);
  ValueId w;
  if (chance(0.5)) {
    w = node("Transpose", {weight({1, 1, channels, filters})},
             {{"perm", std::vector<int64_t>{3, 2, 0, 1}}});
  } else {
    w = node("Reshape", {weight({filters, channels}), ints({filters, channels, 1, 1})});
  }
  if (chance(0.3)) w = node("Identity", {w});
  keep(node("Conv", {x, w}));
}

void RandomGraph::batch_norm() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1];
  keep(node("BatchNormalization",
            {x, vector(channels), vector(channels), vector(channels), vector(channels, true)}));
}

void RandomGraph::unary() {
  const std::vector<std::string> functions{"Relu", "Sigmoid",   "Tanh",     "LeakyRelu",
                                           "Abs",  "HardSwish", "Softplus", "Clip"};
  const std::string& function = functions[below(functions.size())];
  std::vector<ValueId> inputs{pick()};
  if (function == "Clip") {
    inputs.push_back(add_constant(graph_, name(), Tensor::scalar(chance(0.5) ? 0.0f : 0.1f)));
    inputs.push_back(add_constant(graph_, name(), Tensor::scalar(6)));
  }
  keep(node(function, inputs));
}

// A constant a channel: scaled, shifted, divided, or PRelu's slope.
void RandomGraph::channel_constant() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1];
  const std::vector<std::string> operators{"Mul", "Add", "Div", "PRelu", "Sub", "Max"};
  const std::string& op = operators[below(operators.size())];
  Tensor tensor = Tensor::zeros(DType::f32, {channels, 1, 1});
  random_.fill_uniform(tensor.mutate<float>(), 0.5f, 1.5f);
  keep(node(op, {x, add_constant(graph_, name(), std::move(tensor))}));
}

void RandomGraph::elementwise() {
  const ValueId a = pick();
  ValueId b = pick_like(a);
  if (shape(b)[1] != shape(a)[1]) b = convolve(b, shape(a)[1], 1);
  const std::vector<std::string> operators{"Add", "Add", "Mul", "Sub", "Max", "Where"};
  const std::string& op = operators[below(operators.size())];
  if (op == "Where") return keep(node("Where", {node("Greater", {a, b}), a, b}));
  keep(node(op, {a, b}));
}

void RandomGraph::excite() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1];
  const ValueId squeezed = node("Relu", {convolve(node("GlobalAveragePool", {x}), 2, 1)});
  const ValueId gate = node(chance(0.5) ? "Sigmoid" : "HardSigmoid",
                            {convolve(squeezed, chance(0.8) ? channels : 1, 1)});
  keep(node("Mul", {x, gate}));
}

void RandomGraph::concat() {
  std::vector<ValueId> pieces{pick()};
  for (int64_t i = between(1, 2); i > 0; --i) pieces.push_back(pick_like(pieces[0]));
  keep(node("Concat", pieces, {{"axis", int64_t{1}}}));
}

void RandomGraph::split() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1];
  if (channels < 3) return;
  std::vector<ValueId> inputs{x};
  if (channels % 2 != 0 || chance(0.5)) {
    const int64_t first = between(1, channels - 1);
    inputs.push_back(ints({first, channels - first}));
  }
  const ValueId a = add_value(graph_, name()), b = add_value(graph_, name());
  add_node(graph_, "Split", inputs, {a, b}, {{"axis", int64_t{1}}});
  keep(a);
  keep(b);
  if (chance(0.5)) keep(node("Concat", {b, node("Relu", {a}), b}, {{"axis", int64_t{-3}}}));
}

void RandomGraph::slice() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1], from = between(0, channels - 1);
  const int64_t to = between(from + 1, channels);
  const bool from_behind = chance(0.3), open = to == channels && chance(0.7);
  keep(node("Slice", {x, ints({from_behind ? from - channels : from, 0}),
                      ints({open ? INT64_MAX : to, INT64_MAX}), ints({1, 3})}));
}

void RandomGraph::pad_channels() {
  std::vector<ValueId> inputs{pick(), ints({0, between(0, 2), 0, 0, 0, between(0, 2), 0, 0})};
  if (chance(0.2)) inputs.push_back(add_constant(graph_, name(), Tensor::scalar(0.5f)));
  keep(node("Pad", inputs));
}

void RandomGraph::pool() {
  const ValueId x = pick();
  if (shape(x)[2] < 4 || shape(x)[3] < 4) return;
  const std::vector<int64_t> two{2, 2};
  keep(node(chance(0.5) ? "MaxPool" : "AveragePool", {x},
            {{"kernel_shape", two}, {"strides", two}}));
}

void RandomGraph::channels_last() {
  const ValueId x = pick();
  const ValueId last = node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  const ValueId mixed = node(
      "MatMul", {node("Add", {last, vector(shape(x)[1])}), weight({shape(x)[1], between(2, 6)})});
  keep(node("Transpose", {mixed}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}}));
}

void RandomGraph::shuffle() {
  const ValueId x = pick();
  const Shape from = shape(x);
  for (const int64_t group : {2, 3}) {
    if (from[1] % group != 0) continue;
    const int64_t rest = from[1] / group;
    const ValueId apart = node("Reshape", {x, ints({0, group, rest, from[2], from[3]})});
    const ValueId moved =
        node("Transpose", {apart}, {{"perm", std::vector<int64_t>{0, 2, 1, 3, 4}}});
    return keep(node("Reshape", {moved, ints({-1, from[1], from[2], from[3]})}));
  }
}

void RandomGraph::gather() {
  const ValueId x = pick();
  std::vector<int64_t> picks;
  const int64_t channels = shape(x)[1];
  for (int64_t i = between(2, 6); i > 0; --i) picks.push_back(between(-channels, channels - 1));
  keep(node("Gather", {x, ints(picks)}, {{"axis", int64_t{1}}}));
}

// [N, C, H, W] -> [N, C, H*W] x [H*W, H*W] -> back.
void RandomGraph::pixels_as_rows() {
  const ValueId x = pick();
  const Shape from = shape(x);
  const int64_t pixels = from[2] * from[3];
  const ValueId rows = node("Reshape", {x, ints({0, from[1], -1})});
  const ValueId mixed = node("MatMul", {rows, weight({pixels, pixels})});
  keep(node("Reshape", {mixed, ints({0, 0, from[2], from[3]})}));
}

// Every channel becomes an image of its own and goes through one small filter.
void RandomGraph::merge_batch() {
  const ValueId x = pick();
  const Shape from = shape(x);
  const ValueId merged = node("Reshape", {x, ints({-1, 1, from[2], from[3]})});
  keep(node("Reshape", {convolve(merged, 1, 3), ints({-1, from[1], from[2], from[3]})}));
}

// Flattened and restored with sizes that the graph computes, partly beside literals.
void RandomGraph::computed_reshape() {
  const ValueId x = pick();
  const Shape from = shape(x);
  const ValueId sizes = node("Shape", {x});
  const ValueId batch = node("Slice", {sizes, ints({0}), ints({1})});
  const ValueId channels =
      chance(0.5) ? node("Slice", {sizes, ints({1}), ints({2})}) : ints({from[1]});
  const ValueId flat = node("Concat", {node("Mul", {batch, channels}), ints({from[2] * from[3]})},
                            {{"axis", int64_t{0}}});
  const ValueId rows = node("Reshape", {x, flat});
  const ValueId back =
      node("Concat", {batch, ints({from[1]}), ints({from[2], from[3]})}, {{"axis", int64_t{0}}});
  keep(node("Reshape", {node("Relu", {rows}), back}));
}

// Pixels look at each other over the channels: a product of activations.
void RandomGraph::channel_attention() {
  const ValueId x = pick();
  const Shape from = shape(x);
  const int64_t width = between(2, 5), pixels = from[2] * from[3];
  const ValueId q = node("Reshape", {convolve(x, width, 1), ints({0, width, pixels})});
  const ValueId k = node("Reshape", {convolve(x, width, 1), ints({0, width, pixels})});
  const ValueId t = node("Transpose", {q}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  const ValueId scores = node("Softmax", {node("MatMul", {t, k})}, {{"axis", int64_t{-1}}});
  const ValueId v = node("Reshape", {x, ints({0, 0, pixels})});
  keep(node("Reshape", {node("MatMul", {v, scores}), ints({0, -1, from[2], from[3]})}));
}

void RandomGraph::head() {
  const ValueId x = images_.back();
  const Shape from = shape(x);
  ValueId features;
  switch (below(3)) {
    case 0: features = node("Flatten", {node("GlobalAveragePool", {x})}); break;
    case 1: features = node("Flatten", {x}); break;
    default:
      features = node("ReduceMean", {x},
                      {{"axes", std::vector<int64_t>{-1, -2}}, {"keepdims", int64_t{0}}});
  }
  const int64_t width = shape(features)[1];
  const ValueId hidden =
      node("Gemm", {features, weight({5, width}), vector(5)}, {{"transB", int64_t{1}}});
  graph_.outputs.push_back(node("MatMul", {node("Relu", {hidden}), weight({5, 2})}));
  if (chance(0.3)) graph_.outputs.push_back(node("Identity", {pick()}));
  if (chance(0.3)) {
    const ValueId sum = node("ReduceSum", {pick(), ints({1})});
    graph_.outputs.push_back(sum);
  }
  for (const ValueId id : graph_.outputs) graph_.value(id).dtype = DType::f32;
}

Graph RandomGraph::build() {
  static constexpr Step kSteps[] = {&RandomGraph::conv,
                                    &RandomGraph::conv,
                                    &RandomGraph::grouped_conv,
                                    &RandomGraph::depthwise_conv,
                                    &RandomGraph::shared_conv,
                                    &RandomGraph::twisted_weight,
                                    &RandomGraph::batch_norm,
                                    &RandomGraph::unary,
                                    &RandomGraph::unary,
                                    &RandomGraph::channel_constant,
                                    &RandomGraph::elementwise,
                                    &RandomGraph::elementwise,
                                    &RandomGraph::excite,
                                    &RandomGraph::concat,
                                    &RandomGraph::split,
                                    &RandomGraph::slice,
                                    &RandomGraph::pad_channels,
                                    &RandomGraph::pool,
                                    &RandomGraph::channels_last,
                                    &RandomGraph::shuffle,
                                    &RandomGraph::gather,
                                    &RandomGraph::pixels_as_rows,
                                    &RandomGraph::merge_batch,
                                    &RandomGraph::computed_reshape,
                                    &RandomGraph::channel_attention,
                                    &RandomGraph::conv_transpose,
                                    &RandomGraph::group_norm,
                                    &RandomGraph::layer_norm,
                                    &RandomGraph::resize,
                                    &RandomGraph::pixel_shuffle,
                                    &RandomGraph::pixel_unshuffle,
                                    &RandomGraph::chunk,
                                    &RandomGraph::head_attention,
                                    &RandomGraph::merged_vectors,
                                    &RandomGraph::broadcast_gate};
  graph_.opset = 14;  // HardSwish
  const ValueId x = add_value(graph_, "x", DType::f32);
  graph_.value(x).declared = Dims{{-1, "N"}, {between(1, 4), ""}, {4, ""}, {between(3, 4), ""}};
  graph_.inputs = {x};
  images_ = {x};
  conv();
  images_.erase(images_.begin());
  for (int64_t steps = between(4, 9); steps > 0; --steps) {
    (this->*kSteps[below(std::size(kSteps))])();
    // Mostly the newest goes on, so that graphs are deep rather than wide.
    if (images_.size() > 3) images_.erase(images_.begin());
  }
  head();
  return std::move(graph_);
}

}  // namespace coppice
