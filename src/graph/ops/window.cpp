// Where the windows of convolutions and pools lie.

#include <algorithm>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

Shape sizes_of(const Graph& graph, const Node& node, const char* name, size_t count,
               int64_t fallback) {
  Shape sizes = node.attributes.integers(name).value_or(Shape(count, fallback));
  if (sizes.size() != count) {
    fail_input(where(graph, node) + ": '" + name + "' has " + std::to_string(sizes.size()) +
               " entries, expected " + std::to_string(count));
  }
  return sizes;
}

}  // namespace

Window window_of(const Graph& graph, const Node& node, const Shape& input, const Shape& kernel) {
  const size_t rank = input.size();
  Window window;
  window.kernel = kernel;
  window.strides = sizes_of(graph, node, "strides", rank, 1);
  window.dilations = sizes_of(graph, node, "dilations", rank, 1);
  Shape pads = sizes_of(graph, node, "pads", 2 * rank, 0);
  if (kernel.size() != rank) {
    fail_input(where(graph, node) + ": a kernel of " + std::to_string(kernel.size()) +
               " axes on an input with " + std::to_string(rank) + " spatial axes");
  }
  const std::string automatic = node.attributes.text("auto_pad", "NOTSET");
  for (size_t i = 0; i < rank; ++i) {
    if (kernel[i] < 1 || window.strides[i] < 1 || window.dilations[i] < 1) {
      fail_input(where(graph, node) + ": kernel, strides and dilations must be 1 or more");
    }
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      const int64_t extent = (kernel[i] - 1) * window.dilations[i] + 1;
      const int64_t out = (input[i] + window.strides[i] - 1) / window.strides[i];
      const int64_t total = std::max<int64_t>(0, (out - 1) * window.strides[i] + extent - input[i]);
      pads[i] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
      pads[rank + i] = total - pads[i];
    } else if (automatic == "VALID") {
      pads[i] = pads[rank + i] = 0;
    }
  }
  window.begin.assign(pads.begin(), pads.begin() + static_cast<int64_t>(rank));
  window.end.assign(pads.begin() + static_cast<int64_t>(rank), pads.end());
  return window;
}

Shape window_output(const Window& window, const Shape& input, bool ceil) {
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    const int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const int64_t stride = window.strides[i];
    const int64_t room = input[i] + window.begin[i] + window.end[i] - extent;
    if (room < 0) {
      output.push_back(-1);
      continue;
    }
    int64_t size = room / stride + 1;
    if (ceil && room % stride != 0 && size * stride < input[i] + window.begin[i]) ++size;
    output.push_back(size);
  }
  return output;
}

TransposedWindow transposed_window_of(const Graph& graph, const Node& node, const Shape& input,
                                      const Shape& kernel) {
  Node plain = node;
  plain.attributes.erase("auto_pad");  // it means something else here
  TransposedWindow result{window_of(graph, plain, input, kernel), {}};
  Window& window = result.window;
  const size_t rank = input.size();
  const Shape extra = sizes_of(graph, node, "output_padding", rank, 0);
  const auto given = node.attributes.integers("output_shape");
  const std::string automatic = node.attributes.text("auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent = (kernel[i] - 1) * window.dilations[i] + 1;
    const int64_t full = window.strides[i] * (input[i] - 1) + extra[i] + extent;
    if (!given && !same) {
      result.output.push_back(full - window.begin[i] - window.end[i]);
      continue;
    }
    // output_shape may hold the spatial axes alone, or all of them.
    const int64_t wanted =
        given ? given->at(given->size() - rank + i) : input[i] * window.strides[i];
    const int64_t total = std::max<int64_t>(0, full - wanted);
    window.begin[i] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.end[i] = total - window.begin[i];
    result.output.push_back(wanted);
  }
  return result;
}

}  // namespace coppice
