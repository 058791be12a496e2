// The idioms of random_graph.h that are several nodes long, as exporters write them:
// normalisations, attention with heads, run-time halves, pixels and channels that change places.

#include "support/graphs/random_graph.h"

namespace coppice {

void RandomGraph::conv_transpose() {
  const ValueId x = pick();
  if (shape(x)[2] > 6) return;
  const int64_t channels = shape(x)[1], group = channels % 2 == 0 && chance(0.4) ? 2 : 1;
  const int64_t filters = between(1, 3);
  std::vector<ValueId> inputs{x, weight({channels, filters, 2, 2})};
  if (chance(0.5)) inputs.push_back(vector(filters * group));
  const int64_t stride = between(1, 2);
  keep(node("ConvTranspose", inputs,
            {{"group", group}, {"strides", std::vector<int64_t>{stride, stride}}}));
}

// As exporters write GroupNormalization: InstanceNormalization of an image seen as groups.
void RandomGraph::group_norm() {
  const ValueId x = pick();
  const Shape from = shape(x);
  if (from[1] % 2 != 0) return;
  const ValueId apart = node("Reshape", {x, ints({0, 2, -1})});
  const ValueId normal = node("InstanceNormalization", {apart, vector(2), vector(2)});
  const ValueId sizes = chance(0.5) ? node("Shape", {x}) : ints({0, from[1], from[2], from[3]});
  keep(node("Reshape", {normal, sizes}));
}

// Over channels in the last place, by the operator's parts; then a wider layer and back, scaled.
void RandomGraph::layer_norm() {
  const ValueId x = pick();
  const int64_t channels = shape(x)[1], width = between(2, 6);
  const ValueId last = node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  const Attributes over{{"axes", std::vector<int64_t>{-1}}};
  const ValueId off = node("Sub", {last, node("ReduceMean", {last}, over)});
  const ValueId two = add_constant(graph_, name(), Tensor::scalar(2));
  const ValueId tiny = add_constant(graph_, name(), Tensor::scalar(1e-3f));
  const ValueId variance = node("ReduceMean", {node("Pow", {off, two})}, over);
  const ValueId normal = node("Div", {off, node("Sqrt", {node("Add", {variance, tiny})})});
  const ValueId scaled = node("Add", {node("Mul", {normal, vector(channels)}), vector(channels)});
  const ValueId wide = node("MatMul", {scaled, weight({channels, width})});
  const ValueId back = node("MatMul", {node("Tanh", {wide}), weight({width, channels})});
  const ValueId layer_scaled = node("Mul", {vector(channels), back});
  const ValueId first =
      node("Transpose", {layer_scaled}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  keep(node("Add", {x, first}));
}

void RandomGraph::resize() {
  const ValueId x = pick();
  const Shape from = shape(x);
  if (from[2] > 6) return;
  const ValueId none = add_constant(graph_, name(), Tensor::zeros(DType::f32, {0}));
  ValueId sizes;
  if (chance(0.5)) {
    const ValueId batch = node("Slice", {node("Shape", {x}), ints({0}), ints({1})});
    sizes =
        node("Concat", {batch, ints({from[1], from[2] + 1, from[3] + 2})}, {{"axis", int64_t{0}}});
  } else {
    const ValueId kept = node("Slice", {node("Shape", {x}), ints({0}), ints({2})});
    sizes = node("Concat", {kept, ints({from[2] * 2, from[3]})}, {{"axis", int64_t{0}}});
  }
  keep(node("Resize", {x, none, none, sizes},
            {{"mode", std::string(chance(0.5) ? "linear" : "nearest")}}));
}

void RandomGraph::pixel_shuffle() {
  const ValueId x = convolve(pick(), 4 * between(1, 2), 1);
  if (shape(x)[2] > 6) return;
  keep(node("DepthToSpace", {x},
            {{"blocksize", int64_t{2}}, {"mode", std::string(chance(0.5) ? "DCR" : "CRD")}}));
}

// Four images of every second pixel beside each other, as patch merging writes it.
void RandomGraph::pixel_unshuffle() {
  const ValueId x = pick();
  if (shape(x)[2] % 2 != 0 || shape(x)[3] % 2 != 0) return;
  if (chance(0.3)) return keep(node("SpaceToDepth", {x}, {{"blocksize", int64_t{2}}}));
  std::vector<ValueId> pieces;
  for (int64_t i = 0; i < 4; ++i) {
    pieces.push_back(node("Slice", {x, ints({i / 2, i % 2}), ints({INT64_MAX, INT64_MAX}),
                                    ints({2, 3}), ints({2, 2})}));
  }
  keep(node("Concat", pieces, {{"axis", int64_t{1}}}));
}

// Halves found at run time: C = Shape[1], half = (C + 1) / 2, Slice by both.
void RandomGraph::chunk() {
  const ValueId x = pick();
  if (shape(x)[1] < 2) return;
  const ValueId channels = node("Gather", {node("Shape", {x}), ints({1})});
  const ValueId half = node("Div", {node("Add", {channels, ints({1})}), ints({2})});
  const ValueId left = node("Slice", {x, ints({0}), half, ints({1})});
  const ValueId right = node("Slice", {x, half, node("Mul", {half, ints({2})}), ints({1})});
  keep(node("Concat", {node("Relu", {right}), left}, {{"axis", int64_t{1}}}));
}

// Attention with heads, from one product cut in three, with a scale and a table of positions.
void RandomGraph::head_attention() {
  const ValueId x = pick();
  const Shape from = shape(x);
  const int64_t heads = 2, width = between(2, 3), pixels = from[2] * from[3];
  const ValueId rows = node("Transpose", {node("Reshape", {x, ints({0, from[1], -1})})},
                            {{"perm", std::vector<int64_t>{0, 2, 1}}});
  const ValueId qkv = node("Add", {node("MatMul", {rows, weight({from[1], 3 * heads * width})}),
                                   vector(3 * heads * width)});
  const ValueId apart =
      node("Transpose", {node("Reshape", {qkv, ints({0, pixels, 3, heads, width})})},
           {{"perm", std::vector<int64_t>{2, 0, 3, 1, 4}}});
  ValueId part[3];
  for (int64_t i = 0; i < 3; ++i) {
    const ValueId which = add_constant(graph_, name(), Tensor::of<int64_t>({}, std::vector{i}));
    part[i] = node("Gather", {apart, which}, {{"axis", int64_t{0}}});
  }
  const ValueId scale = add_constant(graph_, name(), Tensor::scalar(0.7f));
  const ValueId keys = node("Transpose", {part[1]}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  ValueId scores = node("MatMul", {node("Mul", {part[0], scale}), keys});
  if (chance(0.5)) scores = node("Add", {scores, weight({1, heads, pixels, pixels})});
  const ValueId mixed =
      node("MatMul", {node("Softmax", {scores}, {{"axis", int64_t{-1}}}), part[2]});
  const ValueId joined =
      node("Reshape", {node("Transpose", {mixed}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}),
                       ints({0, pixels, heads * width})});
  const ValueId out = node("MatMul", {joined, weight({heads * width, from[1]})});
  const ValueId back = node("Transpose", {out}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  keep(node("Add", {x, node("Reshape", {back, ints({0, 0, from[2], from[3]})})}));
}

// Two layers that share nothing but equal vectors, which an exporter merged.
void RandomGraph::merged_vectors() {
  const ValueId x = pick();
  const ValueId ones = vector(4, true), passed = node("Identity", {ones});
  const auto normalised = [&](ValueId from, ValueId scale) {
    return node("BatchNormalization", {convolve(from, 4, 1), scale, scale, ones, ones});
  };
  keep(normalised(node("Relu", {normalised(x, ones)}), passed));
}

// A gate of one number a channel, expanded to the whole image.
void RandomGraph::broadcast_gate() {
  const ValueId x = pick();
  const ValueId gate = node("Sigmoid", {node("GlobalAveragePool", {x})});
  keep(node("Mul", {x, node("Expand", {gate, node("Shape", {x})})}));
}

}  // namespace coppice
