// Functions that a model file brings along (exporters write layers as such): a call of one is read
// as the nodes of its body, so that all else sees operators. Where the body is still what it was
// when the graph is written, the call stands there again; the weights that it is given may have
// changed.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "onnx.pb.h"

namespace coppice {

class Functions {
 public:
  explicit Functions(const onnx::ModelProto& model);

  // Whether the node calls a function of the file whose body can stand in its place.
  bool are_called_by(const onnx::NodeProto& node) const;
  // The body's nodes, calls within it replaced, too: inner names begin with the call's own.
  // Throws Error::input for functions that call themselves.
  std::vector<onnx::NodeProto> body_of(const onnx::NodeProto& call) const;

 private:
  const onnx::FunctionProto* find(const onnx::NodeProto& node) const;
  void expand(const onnx::NodeProto& call, int depth, std::vector<onnx::NodeProto>& nodes) const;

  const onnx::ModelProto& model_;
  int64_t opset_ = 0;
};

// The graph's nodes, with calls in place of bodies that are what they were.
std::vector<Node> with_calls(const Graph& graph);

}  // namespace coppice
