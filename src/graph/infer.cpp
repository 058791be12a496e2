#include "graph/infer.h"

#include <algorithm>

#include "core/attempt.h"
#include "core/error.h"
#include "graph/fitted.h"
#include "graph/views/carried.h"
#include "graph/views/linear_layer.h"

namespace coppice {
namespace {

thread_local int64_t inferences_so_far = 0;

// Values with more elements than this are data, not shape arithmetic, and are not folded.
constexpr int64_t kFoldLimit = 4096;

class Inference final : public InferContext {
 public:
  Inference(const Graph& graph, Inferred& result, int64_t unknown)
      : graph_(graph), result_(result), unknown_(unknown), doubtful_(graph.values.size(), 0) {}

  void run(const Node& node) {
    node_ = &node;
    assume_what_it_reads();
    if (ready()) {
      if (!doubtful()) {
        ask();
      } else if (!attempt(ErrorKind::input, [&] { return ask(), true; })) {
        give_up();  // what was reported or assumed doesn't fit
      }
    }
    for (const ValueId id : node.outputs) {
      if (id == kNoValue) continue;
      if (!result_.has(id)) believe_file(id);
      doubtful_[id] = doubtful_[id] || doubtful();
    }
  }

  bool assumed_something() const { return assumed_something_; }
  // A symbol of an input's declaration, and what it stands for.
  void bind(const std::string& symbol, int64_t size) { symbols_.try_emplace(symbol, size); }

  const Graph& graph() const override { return graph_; }
  const Node& node() const override { return *node_; }
  const TensorType& type(int input) const override {
    COPPICE_CHECK(has(input), where(graph_, *node_) + " has no input " + std::to_string(input));
    return *inputs_[input];
  }
  const Tensor* known(int input) const override {
    return has(input) ? known_value(graph_, result_, node_->inputs[input]) : nullptr;
  }
  void set(int output, DType dtype, Shape shape) override {
    if (output >= static_cast<int>(node_->outputs.size())) return;
    const ValueId id = node_->outputs[output];
    if (id == kNoValue) return;
    for (const int64_t size : shape) {
      if (size < 0)
        fail("output has shape " + to_string(shape) + "; the input is too small for it");
    }
    element_count(shape);  // throws on overflow
    result_.types[id] = TensorType{dtype, std::move(shape)};
  }
  void set_known(int output, Tensor value) override {
    const ValueId id = node_->outputs[output];
    if (id == kNoValue) return;
    result_.types[id] = TensorType{value.dtype(), value.shape()};
    result_.known[id] = std::move(value);
  }
  void give_up() override {
    for (const ValueId id : node_->outputs) {
      if (id == kNoValue || graph_.value(id).constant) continue;
      result_.types[id].reset();
      result_.known[id].reset();
    }
  }
  int64_t unknown_size() override {
    assumed_something_ = true;
    for (const ValueId id : node_->outputs) {
      if (id != kNoValue) doubtful_[id] = 1;
    }
    return unknown_;
  }

 private:
  void ask() {
    check_arity();
    inputs_.assign(node_->inputs.size(), nullptr);
    for (size_t i = 0; i < node_->inputs.size(); ++i) {
      if (node_->inputs[i] != kNoValue) inputs_[i] = &*result_.types[node_->inputs[i]];
    }
    node_->op->infer(*this);
    if (can_evaluate(graph_, *node_)) fold();
  }

  // Whether the node reads a shape that may be wrong: reported, assumed, or made of such.
  bool doubtful() const {
    return std::ranges::any_of(node_->inputs,
                               [&](ValueId id) { return id != kNoValue && doubtful_[id] != 0; });
  }

  void report(ValueId id, DType dtype, Shape shape) {
    result_.types[id] = TensorType{dtype, std::move(shape)};
    result_.reported[id] = doubtful_[id] = 1;
  }

  // The file's word for what its operator doesn't say.
  void believe_file(ValueId id) {
    const Value& value = graph_.value(id);
    if (!value.declared || value.dtype == DType::undefined) return;
    Shape shape;
    for (const Dim& dim : *value.declared) {
      const auto bound = symbols_.find(dim.symbol);
      const bool known = dim.fixed() || (!dim.symbol.empty() && bound != symbols_.end());
      shape.push_back(dim.fixed() ? dim.size : known ? bound->second : unknown_size());
    }
    report(id, value.dtype, std::move(shape));
  }

  // A convolution says how many axes and channels it reads, and a Gemm as well, whoever gives them.
  void assume_what_it_reads() {
    const auto layer = linear_layer_of(*node_);
    if (!layer || node_->inputs.size() < 2) return;
    const ValueId data = node_->inputs[layer->data], weight = node_->inputs[layer->weight];
    if (data == kNoValue || weight == kNoValue || result_.has(data) || !result_.has(weight)) return;
    const bool gemm = layer->kind == LinearLayer::Kind::product && layer->bias >= 0;
    if (layer->kind != LinearLayer::Kind::convolution && !gemm) return;
    const TensorType& type = *result_.types[weight];
    const auto rank = static_cast<int64_t>(type.shape.size());
    Shape shape;
    for (int64_t axis = 0; axis < rank; ++axis) shape.push_back(unknown_size());
    shape[from_the_front(layer->channels, rank)] =
        type.shape[from_the_front(layer->inputs, rank)] * layer->groups;
    report(data, type.dtype, std::move(shape));
  }

  bool ready() const {
    if (!node_->op || !node_->op->infer) return false;
    return std::all_of(node_->inputs.begin(), node_->inputs.end(),
                       [&](ValueId id) { return id == kNoValue || result_.has(id); });
  }

  void check_arity() const {
    const Arity& arity = node_->op->arity;
    const int inputs = static_cast<int>(node_->inputs.size());
    if (inputs < arity.min_inputs || (arity.max_inputs >= 0 && inputs > arity.max_inputs)) {
      fail("has " + std::to_string(inputs) + " inputs, expected " +
           std::to_string(arity.min_inputs) +
           (arity.max_inputs < 0                   ? " or more"
            : arity.max_inputs == arity.min_inputs ? ""
                                                   : " to " + std::to_string(arity.max_inputs)));
    }
    for (int i = 0; i < arity.min_inputs; ++i) {
      if (node_->inputs[i] == kNoValue) fail("input " + std::to_string(i) + " is missing");
    }
    if (static_cast<int>(node_->outputs.size()) < arity.min_outputs) fail("has no output");
  }

  void fold() {
    std::vector<const Tensor*> values;
    for (int i = 0; i < static_cast<int>(node_->inputs.size()); ++i) {
      const Tensor* value = known(i);
      if (node_->inputs[i] != kNoValue && (!value || value->size() > kFoldLimit)) return;
      values.push_back(value);
    }
    for (const ValueId id : node_->outputs) {
      if (id == kNoValue) continue;
      if (!result_.has(id) || element_count(result_.shape(id)) > kFoldLimit) return;
      if (result_.known[id] || graph_.value(id).constant) return;
    }
    std::vector<Tensor> outputs = node_->op->evaluate(graph_, *node_, values);
    for (size_t o = 0; o < outputs.size() && o < node_->outputs.size(); ++o) {
      set_known(static_cast<int>(o), std::move(outputs[o]));
    }
  }

  const Graph& graph_;
  Inferred& result_;
  int64_t unknown_;
  bool assumed_something_ = false;
  std::vector<char> doubtful_;  // by ValueId
  std::map<std::string, int64_t> symbols_;
  const Node* node_ = nullptr;
  std::vector<const TensorType*> inputs_;
};

bool leaves_more_than_batch_open(const Graph& graph) {
  return std::ranges::any_of(graph.inputs, [&](ValueId id) {
    const auto& declared = graph.value(id).declared;
    return declared && std::any_of(declared->begin() + !declared->empty(), declared->end(),
                                   [](const Dim& dim) { return !dim.fixed(); });
  });
}

// The first of some usual sizes for open axes that the graph can be inferred at.
std::optional<Fitted> try_sizes(const Graph& graph, const InputSizes& sizes) {
  for (const int64_t other : {sizes.other, int64_t{64}, int64_t{224}, int64_t{256}, int64_t{512},
                              int64_t{1024}, int64_t{4096}, int64_t{16000}}) {
    InputSizes tried = sizes;
    tried.other = other;
    auto inferred = attempt(ErrorKind::input, [&] { return infer(graph, tried); });
    if (inferred) return Fitted{std::move(tried), std::move(*inferred)};
  }
  return std::nullopt;
}

}  // namespace

bool InferContext::has(int input) const {
  return input < static_cast<int>(node().inputs.size()) && node().inputs[input] != kNoValue;
}

void InferContext::fail(const std::string& message) const {
  fail_input(where(graph(), node()) + ": " + message);
}

std::optional<std::vector<int64_t>> InferContext::integers(int input) {
  const Tensor* value = known(input);
  if (!value) {
    give_up();
    return std::nullopt;
  }
  if (is_floating(value->dtype()) || size_of(value->dtype()) == 0) {
    fail("input " + std::to_string(input) + " is " + name_of(value->dtype()) +
         ", expected integers");
  }
  return to_int64s(*value);
}

const Tensor* known_value(const Graph& graph, const Inferred& inferred, ValueId id) {
  if (id == kNoValue) return nullptr;
  if (graph.value(id).constant) return &*graph.value(id).constant;
  return inferred.known[id] ? &*inferred.known[id] : nullptr;
}

Shape input_shape(const Graph& graph, ValueId id, const InputSizes& sizes) {
  const Value& value = graph.value(id);
  if (const auto given = sizes.inputs.find(value.name); given != sizes.inputs.end()) {
    return given->second;
  }
  if (!value.declared) fail_input("input '" + value.name + "': the file declares no shape for it");
  const Dims& dims = *value.declared;
  Shape shape;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i].fixed()) {
      shape.push_back(dims[i].size);
    } else if (i == 0) {
      shape.push_back(sizes.batch);
    } else if (sizes.other > 0) {
      shape.push_back(sizes.other);
    } else {
      // Habit: an open channel axis of an image is 3, an open height or width 224, else 16.
      shape.push_back(dims.size() == 4 ? (i == 1 ? 3 : 224) : 16);
    }
  }
  return shape;
}

InputSizes fitting_sizes(const Graph& graph, InputSizes sizes) {
  if (!leaves_more_than_batch_open(graph)) return sizes;
  const auto fitted = try_sizes(graph, sizes);
  return fitted ? fitted->sizes : sizes;
}

Fitted infer_fitting(const Graph& graph, const InputSizes& sizes) {
  if (leaves_more_than_batch_open(graph)) {
    if (auto fitted = try_sizes(graph, sizes)) return std::move(*fitted);
  }
  return {sizes, infer(graph, sizes)};
}

int64_t inferences() { return inferences_so_far; }

namespace {

// Whether a size had to be assumed, too.
std::pair<Inferred, bool> infer_once(const Graph& graph, const InputSizes& sizes) {
  Inferred result;
  result.types.resize(graph.values.size());
  result.known.resize(graph.values.size());
  result.assumed.resize(graph.values.size(), 0);
  result.reported.resize(graph.values.size(), 0);
  Inference inference(graph, result, sizes.unknown);
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto& constant = graph.values[i].constant;
    if (constant) result.types[i] = TensorType{constant->dtype(), constant->shape()};
  }
  for (const ValueId id : graph.inputs) {
    if (!graph.value(id).declared && !sizes.inputs.contains(graph.value(id).name)) continue;
    Shape shape = input_shape(graph, id, sizes);
    element_count(shape);
    for (size_t axis = 0; graph.value(id).declared && axis < shape.size(); ++axis) {
      if (axis >= graph.value(id).declared->size()) break;
      const std::string& symbol = (*graph.value(id).declared)[axis].symbol;
      if (!symbol.empty()) inference.bind(symbol, shape[axis]);
    }
    result.types[id] = TensorType{graph.value(id).dtype, std::move(shape)};
  }
  for (const Node& node : graph.nodes) inference.run(node);
  return {std::move(result), inference.assumed_something()};
}

}  // namespace

Inferred infer(const Graph& graph, const InputSizes& sizes) {
  ++inferences_so_far;
  auto [result, assumed] = infer_once(graph, sizes);
  if (!assumed) return std::move(result);
  // What another number changes depends on it.
  InputSizes others = sizes;
  others.unknown = sizes.unknown + sizes.unknown / 2;
  const Inferred other = infer_once(graph, others).first;
  for (size_t i = 0; i < result.types.size(); ++i) {
    if (!result.types[i]) continue;
    result.assumed[i] = !other.types[i] || result.types[i]->shape != other.types[i]->shape;
  }
  return std::move(result);
}

std::vector<Shape> shape_table(const Inferred& inferred) {
  std::vector<Shape> shapes(inferred.types.size());
  for (size_t id = 0; id < shapes.size(); ++id) {
    if (inferred.types[id]) shapes[id] = inferred.types[id]->shape;
  }
  return shapes;
}

}  // namespace coppice
