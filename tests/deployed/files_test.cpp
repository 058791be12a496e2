// What runtimes go by in a file beside its nodes is right in a cut one: the producer's name, the IR
// version, and the shapes that it says.

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "deployed/cut_for.h"
#include "graph/infer.h"
#include "onnx.pb.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

constexpr char kNet[] = R"(
    input x float32 [2, 3, 8, 8]
    const w1 float32 [48, 3, 3, 3] random
    const w2 float32 [32, 48, 3, 3] random
    const w3 float32 [5, 32] random
    a = Conv(x, w1) {kernel_shape=[3, 3]}
    b = Relu(a)
    c = Conv(b, w2) {kernel_shape=[3, 3]}
    d = GlobalAveragePool(c)
    e = Flatten(d)
    y = Gemm(e, w3) {transB=1}
    output y float32 [2, 5])";

onnx::ModelProto message_of(const Graph& graph) {
  std::string bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return model;
}

void say_shape(onnx::ValueInfoProto& info, const std::string& name, const Shape& shape) {
  info.set_name(name);
  auto& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const int64_t size : shape) type.mutable_shape()->add_dim()->set_dim_value(size);
}

// The net as another exporter's file, cut for the runtime and written.
onnx::ModelProto cut(const std::function<void(onnx::ModelProto&)>& change, const char* runtime) {
  onnx::ModelProto model = message_of(parse_text_graph(kNet));
  change(model);
  auto owner = std::make_shared<std::string>(model.SerializeAsString());
  auto* const data = reinterpret_cast<std::byte*>(owner->data());
  const Graph graph = parse_onnx({std::shared_ptr<std::byte>(owner, data), owner->size()});
  return message_of(cut_for(graph, OneShotOptions::Selection::none, runtime));
}

class Written : public testing::TestWithParam<const char*> {};

TEST_P(Written, keeps_the_producers_name_by_which_opencv_counts_the_padding_of_averages) {
  const auto written = cut(
      [](onnx::ModelProto& model) {
        model.set_producer_name("pytorch");
        model.set_producer_version("1.13.0");
      },
      GetParam());
  EXPECT_EQ(written.producer_name(), "pytorch");
  EXPECT_EQ(written.producer_version(), "1.13.0");
}

TEST_P(Written, keeps_the_ir_version_where_initialisers_are_inputs) {
  const auto written = cut(
      [](onnx::ModelProto& model) {
        model.set_ir_version(3);
        for (const onnx::TensorProto& tensor : model.graph().initializer()) {
          const Shape shape(tensor.dims().begin(), tensor.dims().end());
          say_shape(*model.mutable_graph()->add_input(), tensor.name(), shape);
        }
      },
      GetParam());
  EXPECT_EQ(written.ir_version(), 3);
  std::map<std::string, const onnx::ValueInfoProto*> inputs;
  for (const onnx::ValueInfoProto& input : written.graph().input()) inputs[input.name()] = &input;
  for (const onnx::TensorProto& tensor : written.graph().initializer()) {
    ASSERT_TRUE(inputs.contains(tensor.name())) << tensor.name() << " must be listed below 4";
    const auto& shape = inputs[tensor.name()]->type().tensor_type().shape();
    ASSERT_EQ(shape.dim_size(), tensor.dims_size());
    for (int i = 0; i < shape.dim_size(); ++i) {
      EXPECT_EQ(shape.dim(i).dim_value(), tensor.dims(i)) << tensor.name();
    }
  }
}

TEST_P(Written, says_no_shape_that_the_cut_changed) {
  const auto written = cut(
      [](onnx::ModelProto& model) {
        const Graph graph = parse_text_graph(kNet);
        const Inferred inferred = infer(graph);
        for (const char* name : {"a", "b", "c", "d", "e"}) {
          const Shape shape = inferred.shape(*find_value(graph, name));
          say_shape(*model.mutable_graph()->add_value_info(), name, shape);
        }
      },
      GetParam());
  auto owner = std::make_shared<std::string>(written.SerializeAsString());
  auto* const data = reinterpret_cast<std::byte*>(owner->data());
  const Graph graph = parse_onnx({std::shared_ptr<std::byte>(owner, data), owner->size()});
  const Inferred inferred = infer(graph);
  int narrowed = 0;
  for (const onnx::ValueInfoProto& info : written.graph().value_info()) {
    const auto value = find_value(graph, info.name());
    ASSERT_TRUE(value) << info.name() << " isn't in the graph any more";
    const auto& said = info.type().tensor_type().shape();
    const Shape shape = inferred.shape(*value);
    ASSERT_EQ(said.dim_size(), static_cast<int>(shape.size())) << info.name();
    for (int i = 0; i < said.dim_size(); ++i) {
      if (!said.dim(i).has_dim_value()) continue;
      EXPECT_EQ(said.dim(i).dim_value(), shape[i]) << info.name();
    }
    narrowed += shape.size() > 1 && shape[1] < 32;
  }
  EXPECT_GT(narrowed, 0) << "what was said of values is said anew";
}

INSTANTIATE_TEST_SUITE_P(Runtimes, Written,
                         testing::Values("onnxruntime-avx2", "onnxruntime-web", "opencv", "any"),
                         [](const auto& runtime) {
                           std::string name = runtime.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace coppice
