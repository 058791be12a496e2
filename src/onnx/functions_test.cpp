// Functions of a file: read as the nodes of their bodies, written as calls where these are what
// they were.

#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "onnx.pb.h"
#include "onnx/convert.h"
#include "onnx/onnx.h"

namespace coppice {
namespace {

onnx::NodeProto node(const std::string& type, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs, const std::string& domain = "") {
  onnx::NodeProto proto;
  proto.set_op_type(type);
  proto.set_domain(domain);
  for (const std::string& input : inputs) proto.add_input(input);
  for (const std::string& output : outputs) proto.add_output(output);
  return proto;
}

void add_opset(onnx::OperatorSetIdProto* import, const std::string& domain, int64_t version) {
  import->set_domain(domain);
  import->set_version(version);
}

onnx::FunctionProto linear() {
  onnx::FunctionProto function;
  function.set_name("Linear");
  function.set_domain("local");
  add_opset(function.add_opset_import(), "", 17);
  for (const char* input : {"x", "w", "b"}) function.add_input(input);
  function.add_output("y");
  function.add_attribute("slope");
  *function.add_node() = node("MatMul", {"x", "w"}, {"p"});
  *function.add_node() = node("Add", {"p", "b"}, {"s"});
  onnx::NodeProto activation = node("LeakyRelu", {"s"}, {"y"});
  auto* alpha = activation.add_attribute();
  alpha->set_name("alpha");
  alpha->set_ref_attr_name("slope");
  alpha->set_type(onnx::AttributeProto::FLOAT);
  *function.add_node() = activation;
  return function;
}

// Two layers, each a call within a call.
onnx::ModelProto model() {
  onnx::ModelProto proto;
  proto.set_ir_version(8);
  add_opset(proto.add_opset_import(), "", 17);
  add_opset(proto.add_opset_import(), "local", 1);
  *proto.add_functions() = linear();
  onnx::FunctionProto outer;
  outer.set_name("Layer");
  outer.set_domain("local");
  add_opset(outer.add_opset_import(), "", 17);
  for (const char* input : {"x", "w", "b"}) outer.add_input(input);
  outer.add_output("z");
  onnx::NodeProto call = node("Linear", {"x", "w", "b"}, {"z"}, "local");
  auto* slope = call.add_attribute();
  slope->set_name("slope");
  slope->set_type(onnx::AttributeProto::FLOAT);
  slope->set_f(0.25f);
  *outer.add_node() = call;
  *proto.add_functions() = outer;
  auto& graph = *proto.mutable_graph();
  graph.set_name("net");
  const auto add_tensor = [&](const std::string& name, const Shape& shape) {
    fill_tensor(Tensor::zeros(DType::f32, shape), name, *graph.add_initializer());
  };
  add_tensor("w1", {3, 4});
  add_tensor("b1", {4});
  add_tensor("w2", {4, 2});
  add_tensor("b2", {2});
  auto* x = graph.add_input();
  x->set_name("x");
  x->mutable_type()->mutable_tensor_type()->set_elem_type(1);
  x->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_param("N");
  x->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(3);
  *graph.add_node() = node("Layer", {"x", "w1", "b1"}, {"h"}, "local");
  *graph.add_node() = node("Layer", {"h", "w2", "b2"}, {"y"}, "local");
  graph.add_output()->set_name("y");
  return proto;
}

Graph parsed(const onnx::ModelProto& proto) {
  const std::string bytes = bytes_of(proto);
  const Buffer buffer = allocate_buffer(bytes.size());
  std::memcpy(buffer.data.get(), bytes.data(), bytes.size());
  return parse_onnx(buffer);
}

onnx::ModelProto written(const Graph& graph) {
  std::string bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(bytes));
  return proto;
}

TEST(Functions, a_call_is_read_as_the_nodes_of_its_body) {
  const Graph graph = parsed(model());
  ASSERT_EQ(graph.nodes.size(), 6u);
  EXPECT_EQ(graph.nodes[0].op_type, "MatMul");
  EXPECT_EQ(graph.nodes[2].op_type, "LeakyRelu");
  EXPECT_FLOAT_EQ(graph.nodes[2].attributes.real("alpha", 0), 0.25f);
  EXPECT_EQ(graph.value(graph.nodes[2].outputs[0]).name, "h");
  EXPECT_TRUE(find_value(graph, "h/p"));
  EXPECT_TRUE(find_value(graph, "y/p"));
}

TEST(Functions, a_file_comes_back_as_it_was) {
  EXPECT_EQ(bytes_of(written(parsed(model()))), bytes_of(model()));
}

TEST(Functions, a_call_stays_where_only_the_weights_it_is_given_changed) {
  Graph graph = parsed(model());
  graph.value(*find_value(graph, "w1")).constant = Tensor::zeros(DType::f32, {3, 2});
  const onnx::ModelProto proto = written(graph);
  ASSERT_EQ(proto.graph().node_size(), 2);
  EXPECT_EQ(proto.graph().node(0).op_type(), "Layer");
}

TEST(Functions, a_body_that_changed_stands_in_place_of_its_call) {
  Graph graph = parsed(model());
  graph.nodes[2].attributes.set("alpha", 0.5f);
  const onnx::ModelProto proto = written(graph);
  ASSERT_EQ(proto.graph().node_size(), 4);
  EXPECT_EQ(proto.graph().node(2).op_type(), "LeakyRelu");
  EXPECT_EQ(proto.graph().node(3).op_type(), "Layer");
  EXPECT_EQ(bytes_of(written(parsed(proto))), bytes_of(proto));
}

TEST(Functions, once_inlined_stay_nodes_and_leave_the_file) {
  onnx::ModelProto proto = model();
  *proto.mutable_graph()->add_node() = node("Other", {"y"}, {"z"}, "local");
  onnx::FunctionProto other = linear();  // of another opset: its call stays, and so does it
  other.set_name("Other");
  other.mutable_opset_import(0)->set_version(13);
  *proto.add_functions() = other;
  Graph graph = parsed(proto);
  EXPECT_EQ(inline_functions(graph), 2);
  const onnx::ModelProto inlined = written(graph);
  ASSERT_EQ(inlined.graph().node_size(), 7);
  EXPECT_EQ(inlined.graph().node(0).op_type(), "MatMul");
  ASSERT_EQ(inlined.functions_size(), 1);
  EXPECT_EQ(inlined.functions(0).name(), "Other");
  EXPECT_EQ(inline_functions(graph), 0);
}

TEST(Functions, of_another_opset_stay_calls) {
  onnx::ModelProto proto = model();
  proto.mutable_functions(1)->mutable_opset_import(0)->set_version(13);
  EXPECT_EQ(parsed(proto).nodes.size(), 2u);
}

TEST(Functions, that_call_themselves_are_the_files_fault) {
  onnx::ModelProto proto = model();
  proto.mutable_functions(1)->mutable_node(0)->set_op_type("Layer");
  EXPECT_THROW(parsed(proto), Error);
}

}  // namespace
}  // namespace coppice
