// What operators say of themselves (graph/op.h) is what they do: every one in the table is run and
// looked at. Whoever adds one that says nothing, or something else, fails here.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>

#include "core/error.h"
#include "graph/infer.h"
#include "graph/op.h"
#include "graph/views/linear_layer.h"
#include "runtime/reference.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Numbers that no function is symmetric or flat at by chance, of both signs and beyond 1.
Tensor numbers(const Shape& shape, float shift) {
  Tensor tensor = Tensor::zeros(DType::f32, shape);
  const auto elements = tensor.mutate<float>();
  for (size_t i = 0; i < elements.size(); ++i) {
    const float size = 0.137f + 0.211f * static_cast<float>(i) + shift;
    elements[i] = i % 3 == 1 ? -size : size;
  }
  return tensor;
}

Tensor truths(const Shape& shape, int64_t every) {
  Tensor tensor = Tensor::zeros(DType::boolean, shape);
  const auto elements = tensor.mutate<bool>();
  for (int64_t i = 0; i < std::ssize(elements); ++i) elements[i] = i % every == 0;
  return tensor;
}

// A node of the operator that reads `inputs`, with the attributes that some need.
Graph graph_of(const OpDef& op, const std::vector<Tensor>& inputs, const Attributes& attributes) {
  Graph graph;
  std::vector<ValueId> ids;
  for (const Tensor& input : inputs) {
    ids.push_back(add_constant(graph, "in" + std::to_string(ids.size()), input));
  }
  graph.outputs = {add_value(graph, "y")};
  Node& node = add_node(graph, op.type, ids, graph.outputs, attributes);
  node.op = &op;
  node.domain = op.domain;
  return graph;
}

// What it gives; nothing where it can't be asked so.
std::optional<Tensor> result_of(const OpDef& op, const std::vector<Tensor>& inputs,
                                const Attributes& attributes) {
  const Graph graph = graph_of(op, inputs, attributes);
  try {
    const Inferred inferred = infer(graph);
    if (!inferred.has(graph.outputs[0])) return std::nullopt;
    if (const Tensor* known = known_value(graph, inferred, graph.outputs[0])) return *known;
    std::vector<const Tensor*> read;
    for (const Tensor& input : inputs) read.push_back(&input);
    return evaluate_node(graph, graph.nodes[0], read)[0];
  } catch (const Error&) {
    return std::nullopt;
  }
}

const Shape kShape{2, 3, 2, 2};

// Inputs of one shape that the operator may take: floats, truths, or truths and floats.
std::vector<std::vector<Tensor>> inputs_alike(const OpDef& op) {
  const int count = op.arity.max_inputs < 0 ? 2 : op.arity.min_inputs;
  std::vector<Tensor> floats, booleans, mixed;
  for (int i = 0; i < count; ++i) {
    floats.push_back(numbers(kShape, 0.05f * static_cast<float>(i)));
    booleans.push_back(truths(kShape, 2 + i));
    mixed.push_back(i == 0 ? booleans[0] : floats[i]);
  }
  return {floats, mixed, booleans};
}

// Some need one to be anything.
Attributes attributes_of(const OpDef& op) {
  if (std::string(op.type) == "Cast") return {{"to", int64_t{1}}};
  if (std::string(op.type) == "LRN") return {{"size", int64_t{3}}};
  return {};
}

// The inputs of that kind which it takes, and what it gives.
struct Sample {
  std::vector<Tensor> inputs;
  Tensor output;
};
std::optional<Sample> sample_of(const OpDef& op) {
  const bool needs_settings =
      std::ranges::any_of(op.reads, [](Reads as) { return as == Reads::setting; }) &&
      (op.reads.size() == 1 || op.arity.min_inputs > 1);
  if (op.arity.max_inputs == 0 || needs_settings) return std::nullopt;
  for (const auto& inputs : inputs_alike(op)) {
    if (auto output = result_of(op, inputs, attributes_of(op))) return Sample{inputs, *output};
  }
  return std::nullopt;
}

Tensor permuted(const Tensor& tensor, const std::vector<int64_t>& order) {
  return take(tensor.reshaped({tensor.size()}), 0, order).reshaped(tensor.shape());
}

// Elements that change places in all inputs change places in the output, and nothing else does.
bool acts_by_element(const OpDef& op, const Sample& sample) {
  if (sample.output.shape() != kShape) return false;
  for (const int64_t stride : {5, 7, 11}) {
    std::vector<int64_t> order(element_count(kShape));
    for (size_t i = 0; i < order.size(); ++i) order[i] = (stride * i + 3) % order.size();
    std::vector<Tensor> inputs;
    for (const Tensor& input : sample.inputs) inputs.push_back(permuted(input, order));
    const auto output = result_of(op, inputs, attributes_of(op));
    const Tensor expected = permuted(sample.output, order);
    if (!output || !std::ranges::equal(output->bytes(), expected.bytes())) return false;
  }
  return true;
}

TEST(Traits, every_operator_says_what_it_reads_as_each_of_its_inputs) {
  for (const OpDef* op : operators()) {
    const auto most = static_cast<size_t>(std::max(op->arity.max_inputs, 1));
    const size_t said = op->reads.size();
    const bool all = op->arity.max_inputs == 0 ? said == 0 : said == 1 || said == most;
    EXPECT_TRUE(all) << op->type << " says of " << said << " inputs what they are";
  }
}

TEST(Traits, an_operator_acts_by_element_exactly_where_it_says_so) {
  int looked_at = 0;
  for (const OpDef* op : operators()) {
    const auto sample = sample_of(*op);
    const bool says = op->reach == Reach::element;
    if (says) {
      EXPECT_TRUE(sample) << op->type;
    }
    // The range that its codes count in is that of all elements, wherever they are.
    if (std::string(op->type) == "DynamicQuantizeLinear") continue;
    // What moves elements may happen to leave them where they are.
    if (!sample || (!says && op->moves != Moves::computes)) continue;
    EXPECT_EQ(acts_by_element(*op, *sample), says) << op->type;
    ++looked_at;
  }
  EXPECT_GE(looked_at, 60);
}

// Of a channelwise operator: only the channel that another number came into changes.
TEST(Traits, a_channelwise_operator_looks_at_one_channel) {
  int looked_at = 0;
  for (const OpDef* op : operators()) {
    if (op->reach != Reach::channel) continue;
    std::vector<Tensor> inputs{numbers({2, 4, 5, 5}, 0)};
    for (int i = 1; i < op->arity.min_inputs; ++i) {
      inputs.push_back(Tensor::of<float>({4}, std::vector<float>{0.5f, 1.5f, 0.75f, 2}));
    }
    Attributes attributes;
    auto before = result_of(*op, inputs, attributes);
    if (!before) {
      attributes = {{"kernel_shape", std::vector<int64_t>{3, 3}}};
      before = result_of(*op, inputs, attributes);
    }
    ASSERT_TRUE(before) << op->type;
    fill_slices(inputs[0], 1, std::vector<int64_t>{2}, 50);
    const auto after = result_of(*op, inputs, attributes);
    for (int64_t c = 0; c < 4; ++c) {
      const std::vector<int64_t> one{c};
      EXPECT_EQ(take(*before, 1, one) == take(*after, 1, one), c != 2) << op->type << " " << c;
    }
    ++looked_at;
  }
  EXPECT_GE(looked_at, 5);
}

TEST(Traits, a_monotone_operator_rises_or_falls_whatever_its_attributes) {
  int looked_at = 0;
  for (const OpDef* op : operators()) {
    if (!op->monotone) continue;
    std::vector<float> line(241);
    for (size_t i = 0; i < line.size(); ++i) line[i] = 0.05f * static_cast<float>(i) - 6;
    for (const float alpha : {0.2f, -0.5f}) {
      const Attributes attributes{{"alpha", alpha}};
      const auto y = result_of(*op, {Tensor::of<float>({241}, line)}, attributes);
      ASSERT_TRUE(y) << op->type;
      std::vector<float> defined;
      for (const float value : y->as<float>()) {
        if (!std::isnan(value)) defined.push_back(value);
      }
      EXPECT_TRUE(std::ranges::is_sorted(defined) ||
                  std::ranges::is_sorted(defined, std::ranges::greater()))
          << op->type;
    }
    ++looked_at;
  }
  EXPECT_GE(looked_at, 10);
}

// An elementwise function passes a gradient where it gives floats that a small step changes.
TEST(Traits, an_elementwise_operator_passes_a_gradient_exactly_where_it_has_one) {
  for (const OpDef* op : operators()) {
    if (op->reach != Reach::element) continue;
    const auto sample = sample_of(*op);
    ASSERT_TRUE(sample) << op->type;
    std::vector<Tensor> near = sample->inputs;
    for (Tensor& input : near) {
      if (input.dtype() != DType::f32) continue;
      for (float& element : input.mutate<float>()) element += 1e-3f;
    }
    const auto output = result_of(*op, near, attributes_of(*op));
    ASSERT_TRUE(output) << op->type;
    const bool changes = output->dtype() == DType::f32 && !(*output == sample->output);
    const Graph graph = graph_of(*op, sample->inputs, attributes_of(*op));
    EXPECT_EQ(passes_gradient(graph.nodes[0], 0), changes) << op->type;
  }
}

// A use of every operator that moves elements; x is [2, 3, 4] or, as image, [1, 4, 2, 3].
const std::map<std::string, std::string> kMovers{
    {"DepthToSpace", "DepthToSpace(image) {blocksize=2}"},
    {"Expand", "Expand(x, longer)"},
    {"Flatten", "Flatten(x)"},
    {"Gather", "Gather(x, picks) {axis=1}"},
    {"Identity", "Identity(x)"},
    {"Reshape", "Reshape(x, shape)"},
    {"Slice", "Slice(x, picks, longer3, axes)"},
    {"SpaceToDepth", "SpaceToDepth(even) {blocksize=2}"},
    {"Split", "Split(x) {axis=0}"},
    {"Squeeze", "Squeeze(image)"},
    {"Tile", "Tile(x, repeats)"},
    {"Transpose", "Transpose(x) {perm=[1, 2, 0]}"},
    {"Unsqueeze", "Unsqueeze(x, axes)"},
};

Moves moves_of(std::span<const float> from, std::span<const float> to) {
  if (std::ranges::equal(from, to)) return Moves::reshapes;
  std::vector<float> a(from.begin(), from.end()), b(to.begin(), to.end());
  std::ranges::sort(a);
  std::ranges::sort(b);
  if (a == b) return Moves::permutes;
  const bool all =
      std::ranges::all_of(b, [&](float element) { return std::ranges::binary_search(a, element); });
  return all ? Moves::picks : Moves::computes;
}

TEST(Traits, an_operator_that_moves_elements_gives_them_as_they_are) {
  for (const OpDef* op : operators()) {
    if (op->moves == Moves::computes) continue;
    const auto use = kMovers.find(op->type);
    ASSERT_NE(use, kMovers.end()) << op->type << " moves elements: give it a use here";
    const bool splits = use->first == "Split";
    const Graph graph = parse_text_graph(R"(
      const x float32 [2, 3, 4] random
      const image float32 [1, 4, 2, 3] random
      const even float32 [1, 1, 4, 6] random
      const longer int64 [4] = 5 2 3 4
      const longer3 int64 [2] = 2 3
      const picks int64 [2] = 1 0
      const axes int64 [2] = 0 1
      const repeats int64 [3] = 1 2 1
      const shape int64 [2] = 4 6
      y)" + std::string(splits ? ", z" : "") +
                                         " = " + use->second + "\noutput y");
    const Inferred inferred = infer(graph);
    const Tensor* y = known_value(graph, inferred, graph.outputs[0]);
    ASSERT_TRUE(y) << op->type;
    const Tensor& x = *graph.value(graph.nodes[0].inputs[0]).constant;
    EXPECT_EQ(moves_of(x.as<float>(), y->as<float>()), op->moves) << op->type;
  }
}

// Uses of linear layers, the weight as each input that it may be.
struct LinearUse {
  std::string layer;
  Shape data, weight, bias;  // no bias: {}
  int weight_input = 1;
};
const LinearUse kLinear[] = {
    {"Conv(x, w, b)", {2, 3, 5, 5}, {4, 3, 2, 2}, {4}},
    {"ConvTranspose(x, w, b)", {2, 3, 5, 5}, {3, 4, 2, 2}, {4}},
    {"Gemm(x, w, b) {alpha=0.5, beta=2.0}", {2, 3}, {3, 4}, {4}},
    {"Gemm(x, w, b) {transB=1}", {2, 3}, {4, 3}, {4}},
    {"Gemm(x, w, b) {transA=1, beta=0.5}", {3, 2}, {3, 4}, {4}},
    {"Gemm(w, x) {alpha=0.5}", {3, 2}, {4, 3}, {}, 0},
    {"Gemm(w, x) {transA=1, transB=1}", {2, 3}, {3, 4}, {}, 0},
    {"MatMul(x, w)", {2, 5, 3}, {3, 4}, {}},
    {"MatMul(x, w)", {2, 5, 3}, {2, 3, 4}, {}},
    {"MatMul(w, x)", {2, 3, 5}, {4, 3}, {}, 0},
};

// As text graphs have it: [2, 3].
std::string sizes(const Shape& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text + "]";
}

class LinearRun {
 public:
  explicit LinearRun(const LinearUse& use)
      : graph_(parse_text_graph(
            "const x float32 " + sizes(use.data) + " random\nconst w float32 " + sizes(use.weight) +
            " random\n" +
            (use.bias.empty() ? "" : "const b float32 " + sizes(use.bias) + " random\n") +
            "y = " + use.layer + "\noutput y")),
        use_(use) {}

  LinearLayer layer() const { return *linear_layer_of(graph_.nodes[0], use_.weight_input); }
  Tensor weight_without(int64_t axis, int64_t index) const { return without("w", axis, index); }
  Tensor data_without(int64_t axis, int64_t index) const { return without("x", axis, index); }
  const Tensor& constant(const char* name) const {
    return *graph_.value(*find_value(graph_, name)).constant;
  }

  Tensor run(const char* instead_of = nullptr, const Tensor* by = nullptr) const {
    Graph graph = graph_;
    if (instead_of) graph.value(*find_value(graph, instead_of)).constant = *by;
    std::vector<const Tensor*> inputs;
    for (const ValueId id : graph.nodes[0].inputs) inputs.push_back(&*graph.value(id).constant);
    return evaluate_node(graph, graph.nodes[0], inputs)[0];
  }

 private:
  Tensor without(const char* name, int64_t axis, int64_t index) const {
    Tensor tensor = constant(name);
    fill_slices(tensor, from_the_front(axis, tensor.rank()), std::vector<int64_t>{index});
    return tensor;
  }

  Graph graph_;
  LinearUse use_;
};

TEST(Traits, a_linear_layers_axes_are_those_that_it_sums_over_and_gives) {
  std::set<std::string> seen;
  for (const LinearUse& use : kLinear) {
    const LinearRun net(use);
    const LinearLayer layer = net.layer();
    seen.insert(use.layer.substr(0, use.layer.find('(')));
    EXPECT_EQ(layer.weight, use.weight_input) << use.layer;
    const Tensor whole = net.run();
    // An output's row of the weight is zero: it gives its bias alone, and all others what they did.
    const Tensor fewer = net.weight_without(layer.outputs, 1);
    const Tensor y = net.run("w", &fewer);
    const int64_t results = from_the_front(layer.results, y.rank());
    const std::vector<int64_t> one{1}, others{0, 2, 3};
    EXPECT_EQ(take(y, results, others), take(whole, results, others)) << use.layer;
    EXPECT_EQ(use.bias.empty(), layer.bias < 0 || use.weight_input == 0) << use.layer;
    const float bias = use.bias.empty() ? 0 : net.constant("b").as<float>()[1];
    const Tensor given = take(y, results, one);
    for (const float element : given.as<float>()) {
      EXPECT_NEAR(element, layer.bias_scale * bias, 1e-6) << use.layer;
    }
    // Without a channel of the data the sums are those without its weights.
    const Tensor narrower = net.data_without(layer.channels, 2);
    const Tensor narrow = net.weight_without(layer.inputs, 2);
    const Tensor a = net.run("x", &narrower), b = net.run("w", &narrow);
    EXPECT_FALSE(a == whole) << use.layer;
    for (int64_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a.as<float>()[i], b.as<float>()[i], 1e-6) << use.layer;
    }
  }
  for (const OpDef* op : operators()) {
    EXPECT_EQ(op->linear != nullptr, seen.contains(op->type)) << op->type;
  }
}

}  // namespace
}  // namespace coppice
