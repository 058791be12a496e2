// Control flow and functions of the model's own: what they read can't be traced, so it stays, and
// says why; everything else is cut, and ONNX Runtime runs the result.

#include <gtest/gtest.h>

#include <functional>

#include "onnx.pb.h"
#include "support/graphs/judged_cut.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    opset 15
    input x float32 [N, 3, 4, 4]
    input flag bool []
    const w1 float32 [6, 3, 1, 1] random
    const w2 float32 [4, 6, 1, 1] random
    const v float32 [4, 1, 1] random
    a = Conv(x, w1)
    b = Relu(a)
    d = Conv(b, w2)
    z = Mul(d, v)
    output z float32 [N, 4, 4, 4])";

// The text graph as a message, changed, and read again.
Graph changed(const std::function<void(onnx::ModelProto&)>& change) {
  std::string bytes;
  serialise_onnx(parse_text_graph(kNet), [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  change(model);
  auto owner = std::make_shared<std::string>(model.SerializeAsString());
  auto* const data = reinterpret_cast<std::byte*>(owner->data());
  return parse_onnx({std::shared_ptr<std::byte>(owner, data), owner->size()});
}

void add_node(onnx::GraphProto& graph, const std::string& type,
              const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
}

void add_branch(onnx::NodeProto& node, const std::string& name,
                const std::function<void(onnx::GraphProto&)>& fill) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::GRAPH);
  onnx::GraphProto& branch = *attribute.mutable_g();
  branch.set_name(name);
  fill(branch);
  onnx::ValueInfoProto& output = *branch.add_output();
  output.set_name(branch.node(branch.node_size() - 1).output(0));
  output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
}

// z = flag ? d * v : -d, in place of z = d * v.
Graph net_with_if() {
  return changed([](onnx::ModelProto& model) {
    onnx::NodeProto& node = *model.mutable_graph()->mutable_node(3);
    node.Clear();
    node.set_op_type("If");
    node.add_input("flag");
    node.add_output("z");
    add_branch(node, "then_branch", [](onnx::GraphProto& branch) {
      add_node(branch, "Mul", {"d", "v"}, "scaled");
    });
    add_branch(node, "else_branch",
               [](onnx::GraphProto& branch) { add_node(branch, "Neg", {"d"}, "negative"); });
  });
}

// z = Twice(d), a function of the model's own.
Graph net_with_function() {
  return changed([](onnx::ModelProto& model) {
    model.set_ir_version(8);
    auto& import = *model.add_opset_import();
    import.set_domain("own");
    import.set_version(1);
    onnx::FunctionProto& function = *model.add_functions();
    function.set_name("Twice");
    function.set_domain("own");
    function.add_input("given");
    function.add_output("twice");
    function.add_opset_import()->set_version(15);
    onnx::NodeProto& sum = *function.add_node();
    sum.set_op_type("Add");
    sum.add_input("given");
    sum.add_input("given");
    sum.add_output("twice");
    onnx::NodeProto& node = *model.mutable_graph()->mutable_node(3);
    node.Clear();
    node.set_op_type("Twice");
    node.set_domain("own");
    node.add_input("d");
    node.add_output("z");
  });
}

// Half of all units go; ONNX Runtime compares with the masked graph, for either flag.
void expect_onnx_runtime_agrees(const Graph& graph) {
  auto judge = OnnxRuntime::start();
  if (!judge) GTEST_SKIP() << kNoOnnxRuntime;
  const Groups groups = find_groups(graph);
  Random random(3);
  const Removal removal = random_removal(groups, 0.5, random);
  JudgedCut cut(*judge, graph, groups, removal);
  Tensor x = Tensor::zeros(DType::f32, {2, 3, 4, 4});
  random.fill_normal(x.mutate<float>(), 1);
  for (const bool flag : {false, true}) {
    Tensor which = Tensor::zeros(DType::boolean, {});
    which.mutate<bool>()[0] = flag;
    const std::vector<NamedTensor> inputs{{"x", x}, {"flag", which}};
    const auto expected = cut.expect_agreement(inputs);
    EXPECT_GT(difference(expected[0].tensor, Tensor::zeros(DType::f32, {2, 4, 4, 4})), 0.1);
  }
}

TEST(Subgraphs, what_a_branch_reads_stays_and_the_rest_is_cut) {
  const Graph graph = net_with_if();
  EXPECT_EQ(groups_of(graph), "6: w1.0 w2.1\n");
  EXPECT_NE(pins_of(graph).find("w2.0: read inside a subgraph, says node 'z' (If)"),
            std::string::npos)
      << pins_of(graph);
  expect_onnx_runtime_agrees(graph);
}

TEST(Subgraphs, what_a_function_of_the_model_reads_stays_and_the_rest_is_cut) {
  const Graph graph = net_with_function();
  EXPECT_EQ(groups_of(graph), "6: w1.0 w2.1\n");
  EXPECT_NE(pins_of(graph).find("w2.0: "), std::string::npos) << pins_of(graph);
  expect_onnx_runtime_agrees(graph);
}

}  // namespace
}  // namespace coppice
