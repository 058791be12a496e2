#include "support/graphs/random_layers.h"

#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "graph/infer.h"

namespace coppice {
namespace {

constexpr uint64_t kMostSteps = 8;
constexpr int64_t kMostElements = 20'000;  // of what is joined, so that a net takes milliseconds

// A graph that knows the shapes of its values as it grows.
class Layers {
 public:
  explicit Layers(const Choose& choose) : choose_(choose), random_(choose(1 << 16)) {
    graph.opset = 13;
  }

  uint64_t below(uint64_t bound) { return choose_(bound); }
  bool once_in(uint64_t times) { return below(times) == 0; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low + 1)));
  }
  // Most are next to where blocks of 8 and 16 end.
  int64_t width() {
    constexpr int64_t kWidths[] = {1, 2, 3, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33};
    return once_in(4) ? between(1, 67) : kWidths[below(std::size(kWidths))];
  }
  const Shape& shape(ValueId id) const { return shapes_[id]; }
  size_t rank(ValueId id) const { return shapes_[id].size(); }

  ValueId input(const Shape& shape) {
    Dims dims;
    for (const int64_t size : shape) dims.push_back({size, ""});
    const ValueId id = add_value(graph, name(), DType::f32);
    graph.value(id).declared = dims;
    graph.inputs.push_back(id);
    shapes_.push_back(shape);
    return id;
  }
  ValueId constant(Tensor tensor) {
    shapes_.push_back(tensor.shape());
    return add_constant(graph, name(), std::move(tensor));
  }
  ValueId uniform(const Shape& shape, float low = -1, float high = 1) {
    Tensor tensor = Tensor::zeros(DType::f32, shape);
    random_.fill_uniform(tensor.mutate<float>(), low, high);
    return constant(std::move(tensor));
  }
  // Of what sums `fan_in` products.
  ValueId weight(const Shape& shape, int64_t fan_in) {
    Tensor tensor = Tensor::zeros(DType::f32, shape);
    const double deviation = 1 / std::sqrt(static_cast<double>(fan_in));
    random_.fill_normal(tensor.mutate<float>(), static_cast<float>(deviation));
    return constant(std::move(tensor));
  }
  ValueId flags(const Shape& shape) {
    Tensor tensor = Tensor::zeros(DType::boolean, shape);
    for (bool& flag : tensor.mutate<bool>()) flag = random_.below(2) == 1;
    return constant(std::move(tensor));
  }
  ValueId number(float value) { return constant(Tensor::scalar(value)); }
  ValueId ints(const Shape& values) { return constant(Tensor::vector(values)); }
  ValueId node(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const ValueId out = add_value(graph, name(), DType::f32);
    add_node(graph, op, std::move(inputs), {out}, std::move(attributes));
    shapes_.push_back(infer(graph).shape(out));
    return out;
  }
  ValueId reshaped(ValueId id, const Shape& to) { return node("Reshape", {id, ints(to)}); }

  Graph graph;

 private:
  std::string name() const { return "v" + std::to_string(graph.values.size()); }

  const Choose& choose_;
  Random random_;
  std::vector<Shape> shapes_;  // by value
};

class RandomLayers : private Layers {
 public:
  using Layers::Layers;

  Graph build() {
    axes_ = 1 + below(3);
    Shape shape{between(1, 3), width()};
    for (size_t axis = 0; axis < axes_; ++axis) shape.push_back(between(1, axes_ == 3 ? 3 : 6));
    keep(input(shape));
    convolve();
    for (uint64_t steps = 1 + below(kMostSteps); steps > 0; --steps) step();
    const auto readers = consumers(graph);
    for (const ValueId id : made_) {
      if (readers[id].empty() || once_in(8)) graph.outputs.push_back(id);
    }
    return std::move(graph);
  }

 private:
  void step() {
    switch (below(20)) {
      case 0: return convolve();
      case 1: return depthwise();
      case 2: return in_groups();
      case 3: return keep(normalised(image()));
      case 4: return keep(activated(pick()));
      case 5: return pool();
      case 6: return keep(squeezed(image()));
      case 7: return concat();
      case 8: return slice();
      case 9: return pad();
      case 10: return transpose();
      case 11: return flatten_and_multiply();
      case 12: return keep(node("Softmax", {pick()}, {{"axis", below(2) ? int64_t{1} : -1}}));
      default: return binary();
    }
  }

  void keep(ValueId id) {
    if (rank(id) >= 2 && element_count(shape(id)) <= kMostElements) made_.push_back(id);
  }
  ValueId pick() { return made_[below(made_.size())]; }
  ValueId image() {
    for (int attempt = 0; attempt < 4; ++attempt) {
      const ValueId id = pick();
      if (rank(id) == axes_ + 2) return id;
    }
    return made_.front();
  }
  ValueId pick_like(ValueId other) {
    std::vector<ValueId> fitting;
    for (const ValueId id : made_) {
      if (shape(id) == shape(other)) fitting.push_back(id);
    }
    return fitting.empty() ? other : fitting[below(fitting.size())];
  }

  ValueId convolution(ValueId x, int64_t filters, int64_t kernel, int64_t group = 1) {
    Shape weights{filters, shape(x)[1] / group};
    weights.resize(2 + axes_, kernel);
    std::vector<ValueId> inputs{x, weight(weights, element_count(weights) / filters)};
    if (below(2)) inputs.push_back(uniform({filters}));
    return node("Conv", inputs, {{"group", group}, {"auto_pad", std::string("SAME_UPPER")}});
  }
  int64_t kernel() { return axes_ == 3 ? between(1, 2) : between(0, 1) * 2 + 1; }
  // What a runtime may take into the convolution before it.
  ValueId followed(ValueId x) {
    for (uint64_t more = below(4); more > 0; --more) {
      switch (below(4)) {
        case 0: x = normalised(x); break;
        case 1: x = node("Add", {x, pick_like(x)}); break;
        default: x = activated(x);
      }
    }
    return x;
  }
  void convolve() { keep(followed(convolution(image(), width(), kernel()))); }
  void depthwise() {
    const ValueId x = image();
    const int64_t channels = shape(x)[1];
    keep(followed(convolution(x, channels * between(1, 2), kernel(), channels)));
  }
  void in_groups() {
    const ValueId x = image();
    for (const int64_t group : {2, 3, 4}) {
      if (shape(x)[1] % group != 0) continue;
      return keep(followed(convolution(x, group * between(1, 9), kernel(), group)));
    }
  }
  ValueId normalised(ValueId x) {
    const Shape channels{shape(x)[1]};
    return node("BatchNormalization", {x, uniform(channels), uniform(channels), uniform(channels),
                                       uniform(channels, 0.5f, 2)});
  }
  ValueId activated(ValueId x) {
    const std::string functions[] = {"Relu",      "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid",
                                     "HardSwish", "Elu",     "Abs",  "Clip",      "Softplus"};
    const std::string& function = functions[below(std::size(functions))];
    if (function == "Clip") return node(function, {x, number(-0.5f), number(1)});
    if (function == "Sigmoid" && below(2)) return node("Mul", {x, node(function, {x})});
    return node(function, {x});
  }
  void pool() {
    const ValueId x = image();
    const Shape window(axes_, between(1, 3)), strides(axes_, between(1, 2));
    keep(node(
        below(2) ? "MaxPool" : "AveragePool", {x},
        {{"kernel_shape", window}, {"strides", strides}, {"auto_pad", std::string("SAME_UPPER")}}));
  }
  ValueId squeezed(ValueId x) {
    return node(below(2) ? "GlobalAveragePool" : "GlobalMaxPool", {x});
  }
  void concat() {
    const ValueId x = image(), y = image();
    Shape other = shape(y);
    other[1] = shape(x)[1];
    std::vector<ValueId> parts{x, other == shape(x) ? y : pick_like(x)};
    if (below(2)) parts.push_back(x);
    keep(node("Concat", parts, {{"axis", other == shape(x) ? 1 : between(0, 1)}}));
  }
  void slice() {
    const ValueId x = pick();
    const int64_t axis = between(0, static_cast<int64_t>(rank(x)) - 1), size = shape(x)[axis];
    const int64_t first = below(2) ? 0 : between(0, size - 1), last = between(first + 1, size);
    keep(node("Slice", {x, ints({first}), ints({last}), ints({axis})}));
  }
  void pad() {
    const ValueId x = image();
    Shape pads(2 * rank(x), 0);
    for (size_t axis = 1; axis < rank(x); ++axis) {
      pads[axis] = once_in(3) ? between(0, 8) : 0;
      pads[rank(x) + axis] = once_in(3) ? between(0, 2) : 0;
    }
    keep(node("Pad", {x, ints(pads), number(below(2) ? 0 : 0.5f)}));
  }
  void transpose() {
    const ValueId x = pick();
    Shape order(rank(x));
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[below(order.size())], order[below(order.size())]);
    keep(node("Transpose", {x}, {{"perm", order}}));
  }
  void flatten_and_multiply() {
    const ValueId x = image();
    const int64_t inner = element_count(shape(x)) / shape(x)[0], columns = width();
    const ValueId flat = node("Flatten", {x});
    ValueId y = below(2) ? node("Gemm", {flat, weight({inner, columns}, inner), uniform({columns})})
                         : node("MatMul", {flat, weight({inner, columns}, inner)});
    if (below(2)) y = node("Add", {y, uniform({columns})});
    if (below(2)) y = activated(y);
    keep(y);
    Shape up{shape(y)[0], columns};
    up.resize(2 + axes_, 1);
    keep(reshaped(y, up));
  }

  // `x` with some of its axes brought to size 1, in the layout that its kernel leaves it in.
  ValueId narrowed(ValueId x, const std::vector<bool>& single) {
    if (single[1] && rank(x) == axes_ + 2 && below(4)) x = convolution(x, 1, 1);
    Shape axes;
    for (size_t axis = 0; axis < rank(x); ++axis) {
      if (single[axis] && shape(x)[axis] > 1) axes.push_back(static_cast<int64_t>(axis));
    }
    Shape spatial(axes_);
    std::iota(spatial.begin(), spatial.end(), 2);
    if (axes.empty()) return x;
    if (axes == spatial && rank(x) == axes_ + 2 && below(4)) return squeezed(x);
    if (below(3) == 0) return node("ReduceMean", {x}, {{"axes", axes}});
    const Shape zeros(axes.size(), 0), ones(axes.size(), 1);
    return node("Slice", {x, ints(zeros), ints(ones), ints(axes)});
  }
  // Axes that are repeated: the channels, all but the channels, one, or any.
  std::vector<bool> repeated(size_t axes) {
    std::vector<bool> single(axes, false);
    switch (below(4)) {
      case 0: single[1] = true; break;
      case 1:
        for (size_t axis = 0; axis < axes; ++axis)
          single[axis] = axis > 1 || (axis == 0 && below(2));
        break;
      case 2: single[below(axes)] = true; break;
      default:
        for (size_t axis = 0; axis < axes; ++axis) single[axis] = below(2) == 1;
    }
    return single;
  }
  // Something that broadcasts to what `x` has.
  ValueId operand(ValueId x) {
    const std::vector<bool> single = repeated(rank(x));
    Shape small = shape(x);
    for (size_t axis = 0; axis < small.size(); ++axis) {
      if (single[axis]) small[axis] = 1;
    }
    ValueId y = once_in(3) ? uniform(small) : narrowed(pick_like(x), single);
    if (!graph.value(y).constant && below(2)) y = activated(y);
    size_t leading = 0;
    while (leading < rank(y) && shape(y)[leading] == 1) ++leading;
    if (leading > 0 && once_in(3)) y = reshaped(y, {shape(y).begin() + leading, shape(y).end()});
    return y;
  }
  // Between 0.5 and 1.5, to divide by and to raise.
  ValueId tame(ValueId x) { return node("Add", {node("Sigmoid", {x}), number(0.5f)}); }

  void binary() {
    const ValueId x = pick();
    ValueId a = once_in(4) ? operand(x) : x, b = once_in(4) ? pick_like(x) : operand(x);
    if (once_in(8)) b = node("Mul", {a, b});  // reads one value twice
    if (below(2)) std::swap(a, b);
    switch (below(10)) {
      case 0: return keep(node("Sub", {a, b}));
      case 1: return keep(node("Min", {a, b}));
      case 2: return keep(node("Max", {a, b}));
      case 3: return keep(node("Pow", {tame(a), node("Tanh", {b})}));
      case 4: return keep(node("Where", {flags({shape(x).back()}), a, b}));
      case 5: return keep(node("PRelu", {x, operand(x)}));
      case 6: return keep(node("Div", {a, tame(b)}));
      case 7: return keep(node("Add", {a, b}));
      default: return keep(node("Mul", {node("Sigmoid", {a}), b}));  // a gate, so nothing explodes
    }
  }

  size_t axes_ = 2;
  std::vector<ValueId> made_;
};

}  // namespace

Graph random_layers(const Choose& choose) { return RandomLayers(choose).build(); }

}  // namespace coppice
