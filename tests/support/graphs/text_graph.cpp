// The parser adds to the graph what the tokens of one line say; each function below reads one part
// of a line and leaves it at the token behind. What fails inside a line is thrown without a place,
// and parse_text_graph puts the line number before it.

#include "support/graphs/text_graph.h"

#include <optional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "core/random.h"
#include "support/graphs/text_graph_line.h"

namespace coppice {
namespace {

using text_graph::fail;
using text_graph::Line;
using text_graph::number;

DType dtype_named(const std::string& name) {  // undefined where there is none
  for (int32_t i = 1; i <= static_cast<int32_t>(DType::bf16); ++i) {
    if (name_of(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  }
  return DType::undefined;
}

DType element_type(Line& line) {
  const DType dtype = dtype_named(line.peek());
  line.take("an element type", dtype != DType::undefined);
  return dtype;
}

template <typename T>
void fill(Tensor& tensor, Line& line) {
  const bool ones = line.accept("ones");
  const std::string what = std::to_string(tensor.size()) + " elements of " + name_of(dtype_of<T>);
  for (T& element : tensor.mutate<T>()) element = ones ? T{1} : line.value<T>(what.c_str());
}

void fill(const std::string& name, Tensor& tensor, Line& line) {
  if (line.accept("zeros")) return;
  const bool positive = line.accept("positive");
  if (positive || line.accept("random")) {
    if (tensor.dtype() != DType::f32) fail("'" + name + "': only float32 can be random");
    uint64_t hash = 0;
    for (const unsigned char c : name) hash = hash * 31 + c;
    Random random = Random::stream(hash, {});
    return random.fill_uniform(tensor.mutate<float>(), positive ? 0.5f : -1, positive ? 1.5f : 1);
  }
  switch (tensor.dtype()) {
    case DType::f32: return fill<float>(tensor, line);
    case DType::f64: return fill<double>(tensor, line);
    case DType::i64: return fill<int64_t>(tensor, line);
    case DType::i32: return fill<int32_t>(tensor, line);
    case DType::u8: return fill<uint8_t>(tensor, line);
    case DType::i8: return fill<int8_t>(tensor, line);
    default: fail("'" + name + "': " + name_of(tensor.dtype()) + " can only be zeros");
  }
}

template <typename T>
std::optional<AttributeValue> numbers(const std::vector<std::string>& tokens, bool list) {
  std::vector<T> values;
  for (const std::string& token : tokens) {
    const auto value = number<T>(token);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return list ? AttributeValue(values) : AttributeValue(values[0]);
}

AttributeValue attribute(Line& line) {
  std::vector<std::string> tokens;
  const auto item = [&] { tokens.push_back(line.take("a number or a string", true)); };
  const bool list = line.accept("[");
  list ? line.list("]", item) : item();
  if (const auto ints = numbers<int64_t>(tokens, list)) return *ints;
  if (const auto floats = numbers<float>(tokens, list)) return *floats;
  for (std::string& token : tokens) {
    if (token.size() < 2 || token[0] != '"') fail("expected a number or a string, found " + token);
    token = token.substr(1, token.size() - 2);
  }
  return list ? AttributeValue(tokens) : AttributeValue(tokens[0]);
}

struct Parser {
  Graph graph;

  void statement(Line& line) {
    const std::string first = line.word("a statement");
    if (line.peek() == "," || line.peek() == "=") return node(first, line);
    if (first == "opset") {
      graph.opset = line.value<int64_t>("a number");
    } else if (first == "input") {
      input(line);
    } else if (first == "const") {
      constant(line);
    } else if (first == "output") {
      do output(line);
      while (!line.at_end());
    } else {
      fail("expected opset, input, const, output or 'y = Op(x)', found " + first);
    }
  }

  void input(Line& line) {
    graph.inputs.push_back(define(line.word("a name")));
    declare(graph.value(graph.inputs.back()), line);
  }

  void output(Line& line) {
    graph.outputs.push_back(defined(line));
    Value& value = graph.value(graph.outputs.back());
    if (dtype_named(line.peek()) != DType::undefined) return declare(value, line);
    if (value.dtype == DType::undefined) value.dtype = DType::f32;
  }

  static void declare(Value& value, Line& line) {
    value.dtype = element_type(line);
    if (!line.accept("[")) return;
    Dims& dims = value.declared.emplace();
    line.list("]", [&] {
      const std::string word = line.word("a size");
      if (word[0] == '-') fail("expected a size, found " + word);
      const int64_t size = number<int64_t>(word).value_or(-1);
      dims.push_back({.size = size, .symbol = size >= 0 || word == "?" ? "" : word});
    });
  }

  void constant(Line& line) {
    const std::string name = line.word("a name");
    const DType dtype = element_type(line);
    Shape shape;
    line.expect("[");
    line.list("]", [&] { shape.push_back(line.value<int64_t>("a size")); });
    line.accept("=");
    Value& value = graph.value(define(name));
    value.dtype = dtype;
    fill(name, value.constant.emplace(Tensor::zeros(dtype, shape)), line);
  }

  void node(const std::string& first, Line& line) {
    std::vector<std::string> names{first};
    while (line.accept(",")) names.push_back(line.word("a name"));
    line.expect("=");
    const std::string op_type = line.word("an operator");
    std::vector<ValueId> inputs, outputs;
    line.expect("(");
    line.list(")", [&] {
      const bool omitted = line.accept("-") || line.peek() == "," || line.peek() == ")";
      inputs.push_back(omitted ? kNoValue : defined(line));
    });
    Attributes attributes;
    if (line.accept("{")) {
      line.list("}", [&] {
        const std::string name = line.word("an attribute");
        line.expect("=");
        attributes.set(name, attribute(line));
      });
    }
    for (const std::string& name : names) outputs.push_back(name == "-" ? kNoValue : define(name));
    add_node(graph, op_type, inputs, outputs, std::move(attributes));
  }

  ValueId define(const std::string& name) {
    if (find_value(graph, name)) fail("'" + name + "' is defined twice");
    return add_value(graph, name);
  }

  ValueId defined(Line& line) const {
    const std::string name = line.word("a name");
    const auto id = find_value(graph, name);
    if (!id) fail("'" + name + "' is not defined");
    return *id;
  }
};

}  // namespace

Graph parse_text_graph(const std::string& text) {
  Parser parser;
  std::istringstream lines(text);
  std::string content;
  for (int number = 1; std::getline(lines, content); ++number) {
    try {
      Line line(content);
      if (line.at_end()) continue;
      parser.statement(line);
      if (!line.at_end()) fail("expected the end of the line, found " + line.peek());
    } catch (const std::exception& error) {
      throw std::runtime_error("text graph, line " + std::to_string(number) + ": " + error.what());
    }
  }
  return std::move(parser.graph);
}

}  // namespace coppice
