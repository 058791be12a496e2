// See input_shapes.h.
#include "model/input_shapes.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/words/nearest.h"
#include "graph/infer.h"
#include "onnx/sizes_for_a_run.h"

namespace coppice {
namespace {

[[noreturn]] void fail_shape(const std::string& text) {
  fail_usage("'" + text + "': expected NAME=SIZES, such as input=1x3x32x32");
}

std::string described(const Dims& dims) {
  std::string text;
  for (const Dim& dim : dims) {
    const std::string open = dim.symbol.empty() ? "?" : dim.symbol;
    text += (text.empty() ? "" : "x") + (dim.fixed() ? std::to_string(dim.size) : open);
  }
  return text;
}

bool leaves_open(const Dims& dims) {
  return dims.size() > 1 &&
         std::any_of(dims.begin() + 1, dims.end(), [](const Dim& dim) { return !dim.fixed(); });
}

Value& input_named(Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const ValueId id : graph.inputs) {
    if (graph.value(id).name == name) return graph.value(id);
    names.push_back(graph.value(id).name);
  }
  std::string all;
  for (const std::string& one : names) all += (all.empty() ? "'" : ", '") + one + "'";
  fail_usage("names no input of the model: found '" + name + "', expected " + all +
                 did_you_mean(name, names),
             {subject_hint("input-shape")});
}

}  // namespace

std::pair<std::string, Shape> parse_input_shape(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) fail_shape(text);
  Shape shape;
  const char* at = text.data() + equals + 1;
  const char* const end = text.data() + text.size();
  while (true) {
    int64_t size = 0;
    const auto [stop, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 1) fail_shape(text);
    shape.push_back(size);
    if (stop == end) return {text.substr(0, equals), shape};
    if (*stop != 'x') fail_shape(text);
    at = stop + 1;
  }
}

void set_open_sizes(Graph& graph, const InputShapes& shapes) {
  for (const auto& [name, shape] : shapes) {
    Value& input = input_named(graph, name);
    if (!input.declared) input.declared = Dims(shape.size());
    Dims& dims = *input.declared;
    bool fits = dims.size() == shape.size();
    for (size_t i = 0; fits && i < shape.size(); ++i) {
      fits = !dims[i].fixed() || dims[i].size == shape[i];
    }
    if (!fits) {
      fail_usage(
          "input '" + name + "' is " + described(dims) + " in the model, found " + to_string(shape),
          {subject_hint("input-shape")});
    }
    for (size_t i = 1; i < shape.size(); ++i) {
      if (dims[i].fixed()) continue;
      dims[i].size = shape[i];
      if (dims[i].symbol.empty()) dims[i].symbol = kUnnamedSize;
    }
  }
}

std::string assumed_sizes(const Graph& graph) {
  for (const ValueId id : graph.inputs) {
    const Value& input = graph.value(id);
    if (!input.declared || !leaves_open(*input.declared)) continue;
    return "input '" + input.name + "' is " + described(*input.declared) + ", taken as " +
           to_string(input_shape(graph, id, {}));
  }
  return "";
}

}  // namespace coppice
