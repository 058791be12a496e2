// Einsum: a letter is an axis. Letters that several operands share are tied; a letter that the
// output lacks is summed over.
//
// Ellipses and letters repeated within one operand (diagonals) are not followed: they pin what the
// node touches.

#include <algorithm>
#include <map>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

bool has_repeated_letter(std::string letters) {
  std::ranges::sort(letters);
  return std::ranges::adjacent_find(letters) != letters.end();
}

// Nothing where the equation isn't of the plain kind. Without an arrow the output is all letters
// that occur once, in alphabetical order.
std::optional<Equation> parse(const Node& node) {
  std::string text = node.attributes.text("equation", "");
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  Equation equation;
  size_t begin = 0;
  for (size_t i = 0; i <= left.size(); ++i) {
    if (i < left.size() && left[i] != ',') continue;
    equation.inputs.push_back(left.substr(begin, i - begin));
    begin = i + 1;
  }
  if (arrow != std::string::npos) {
    equation.output = text.substr(arrow + 2);
  } else {
    std::map<char, int> counts;
    for (const char letter : left) counts[letter] += letter != ',';
    for (const auto& [letter, count] : counts) {
      if (count == 1) equation.output += letter;
    }
  }
  const auto plain = [](const std::string& letters) {
    return std::ranges::all_of(letters, [](unsigned char c) { return std::isalpha(c) != 0; }) &&
           !has_repeated_letter(letters);
  };
  const bool fits = equation.inputs.size() == node.inputs.size();
  return fits && plain(equation.output) && std::ranges::all_of(equation.inputs, plain)
             ? std::optional(equation)
             : std::nullopt;
}

// The size of every letter. Throws Error::input where ranks or sizes don't agree.
std::map<char, int64_t> sizes_of(const Graph& graph, const Node& node, const Equation& equation,
                                 const std::vector<Shape>& shapes) {
  std::map<char, int64_t> sizes;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const std::string& letters = equation.inputs[i];
    if (letters.size() != shapes[i].size()) {
      fail_input(where(graph, node) + ": input " + std::to_string(i) + " has shape " +
                 to_string(shapes[i]) + ", the equation expects " + std::to_string(letters.size()) +
                 " axes");
    }
    for (size_t axis = 0; axis < letters.size(); ++axis) {
      int64_t& size = sizes.try_emplace(letters[axis], 1).first->second;
      if (size == 1) size = shapes[i][axis];
      if (shapes[i][axis] != size && shapes[i][axis] != 1) {
        fail_input(where(graph, node) + ": letter '" + letters[axis] + "' is " +
                   std::to_string(size) + " in one input and " + std::to_string(shapes[i][axis]) +
                   " in another");
      }
    }
  }
  return sizes;
}

void infer_einsum(InferContext& context) {
  const auto equation = parse(context.node());
  if (!equation) return context.give_up();
  std::vector<Shape> shapes;
  for (int i = 0; i < static_cast<int>(context.node().inputs.size()); ++i) {
    shapes.push_back(context.shape(i));
  }
  const auto sizes = sizes_of(context.graph(), context.node(), *equation, shapes);
  Shape out;
  for (const char letter : equation->output) {
    if (!sizes.contains(letter)) {
      context.fail(std::string("letter '") + letter + "' is in no input");
    }
    out.push_back(sizes.at(letter));
  }
  context.set(0, context.type(0).dtype, out);
}

// One letter over all operands that have it at full size.
void relate_letter(Relations& relations, const Equation& equation, char letter, int64_t size) {
  const Axis* first = nullptr;
  bool any_zero = false;
  std::vector<std::pair<int, int64_t>> places;
  for (int i = 0; i < relations.inputs(); ++i) {
    const size_t axis = equation.inputs[i].find(letter);
    if (axis == std::string::npos || relations.input_shape(i)[axis] != size) continue;
    places.emplace_back(i, static_cast<int64_t>(axis));
    any_zero = any_zero || relations.zero_when_dead(i, static_cast<int64_t>(axis));
  }
  const size_t out = equation.output.find(letter);
  for (const auto& [input, axis] : places) {
    const Axis& labels = relations.input(input, axis);
    if (out == std::string::npos) {
      relations.role(input, axis, Role::input_channel);
      if (!any_zero) {
        relations.pin(labels, PinKind::meaning, "contracted, though a masked index isn't zero");
      }
    } else {
      relations.role(input, axis, Role::filter);
    }
    if (first) relations.unify(*first, labels, "letters of Einsum");
    if (!first) first = &labels;
  }
  if (first && out != std::string::npos) {
    relations.output(0, static_cast<int64_t>(out), *first, any_zero);
  }
}

void relate_einsum(Relations& relations) {
  const Equation equation = *parse(relations.node());
  std::vector<Shape> shapes;
  for (int i = 0; i < relations.inputs(); ++i) shapes.push_back(relations.input_shape(i));
  for (const auto& [letter, size] :
       sizes_of(relations.graph(), relations.node(), equation, shapes)) {
    relate_letter(relations, equation, letter, size);
  }
}

// A product of all letters for each pair of operands; a lone operand is only summed.
int64_t macs_einsum(const Node& node, std::span<const Shape> inputs, std::span<const Shape>) {
  const auto equation = parse(node);
  if (!equation) return 0;
  std::map<char, int64_t> sizes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    for (size_t axis = 0; axis < inputs[i].size(); ++axis) {
      int64_t& size = sizes[equation->inputs[i][axis]];
      size = std::max(size, inputs[i][axis]);
    }
  }
  Shape all;
  for (const auto& [letter, size] : sizes) all.push_back(size);
  return element_count(all) * (std::ssize(inputs) - 1);
}

// Counts one step of an index over `sizes`; false once all were seen.
bool advance(Shape& index, const Shape& sizes) {
  for (size_t axis = sizes.size(); axis-- > 0;) {
    if (++index[axis] < sizes[axis]) return true;
    index[axis] = 0;
  }
  return false;
}

std::vector<Tensor> evaluate_einsum(const Graph& graph, const Node& node,
                                    std::span<const Tensor* const> inputs) {
  const auto equation = parse(node);
  std::vector<Shape> shapes;
  for (const Tensor* input : inputs) {
    shapes.push_back(input->shape());
    if (input->dtype() != DType::f32) {
      fail_input(where(graph, node) + ": input is " + name_of(input->dtype()) +
                 ", only float32 can be run");
    }
  }
  if (!equation) fail_input(where(graph, node) + ": its equation can't be run");
  const auto sizes = sizes_of(graph, node, *equation, shapes);
  std::string letters = equation->output;  // then those summed over, so that one sum is one run
  for (const auto& [letter, size] : sizes) {
    if (letters.find(letter) == std::string::npos) letters += letter;
  }
  Shape all, out;
  for (const char letter : letters) all.push_back(sizes.at(letter));
  for (const char letter : equation->output) out.push_back(sizes.at(letter));
  std::vector<Shape> strides;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape own = broadcast_strides(shapes[i], shapes[i]);
    Shape by_letter(letters.size(), 0);
    for (size_t axis = 0; axis < own.size(); ++axis) {
      by_letter[letters.find(equation->inputs[i][axis])] = own[axis];
    }
    strides.push_back(std::move(by_letter));
  }
  Tensor result = Tensor::zeros(DType::f32, out);
  if (element_count(all) == 0) return {std::move(result)};
  const int64_t run = element_count(all) / result.size();
  Shape index(all.size(), 0);
  for (float& element : result.mutate<float>()) {
    double sum = 0;
    for (int64_t i = 0; i < run; ++i, advance(index, all)) {
      double product = 1;
      for (size_t k = 0; k < inputs.size(); ++k) {
        int64_t offset = 0;
        for (size_t axis = 0; axis < all.size(); ++axis) offset += index[axis] * strides[k][axis];
        product *= inputs[k]->as<float>()[offset];
      }
      sum += product;
    }
    element = static_cast<float>(sum);
  }
  return {std::move(result)};
}

}  // namespace

extern const OpDef kEinsum{.type = "Einsum",
                           .arity = {1, -1},
                           .reads = {Reads::weight},
                           .infer = infer_einsum,
                           .relate = relate_einsum,
                           .macs = macs_einsum,
                           .evaluate = evaluate_einsum};

}  // namespace coppice
