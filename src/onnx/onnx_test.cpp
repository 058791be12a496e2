// Reading and writing ONNX: equality on every real file, and clear words for damaged ones.

#include "onnx/onnx.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "onnx.pb.h"
#include "onnx/convert.h"
#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

std::vector<std::filesystem::path> real_models() {
  std::vector<std::filesystem::path> models;
  if (const auto data = shared_data()) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "models")) {
      if (entry.path().extension() == ".onnx") models.push_back(entry.path());
    }
  }
  std::sort(models.begin(), models.end());
  return models;
}

std::string written(const Graph& graph) {
  std::string bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return bytes;
}

Buffer buffer_of(const std::string& bytes) {
  auto owner = std::make_shared<std::string>(bytes);
  return {std::shared_ptr<std::byte>(owner, reinterpret_cast<std::byte*>(owner->data())),
          owner->size()};
}

// The bytes protobuf itself gives for the message, whatever order its fields came in.
std::string canonical(const std::string& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return bytes_of(model);
}

// x [N, 3] -> Relu -> y, with one initialiser that is added.
Graph small_graph() {
  Graph graph;
  const ValueId x = add_value(graph, "x", DType::f32);
  graph.value(x).declared = Dims{{-1, "N"}, {3, ""}};
  const ValueId bias = add_constant(graph, "bias", Tensor::of<float>({3}, {1, 2, 3}));
  const ValueId sum = add_value(graph, "sum"), y = add_value(graph, "y", DType::f32);
  graph.value(y).declared = Dims{{-1, "N"}, {3, ""}};
  add_node(graph, "Add", {x, bias}, {sum});
  add_node(graph, "Relu", {sum}, {y});
  graph.inputs = {x};
  graph.outputs = {y};
  return graph;
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  return "(no error)";
}

TEST(Onnx, reading_and_writing_gives_an_equal_model_for_every_real_file) {
  const auto models = real_models();
  if (models.empty()) GTEST_SKIP() << kNoSharedData;
  for (const auto& path : models) {
    SCOPED_TRACE(path.filename().string());
    const std::string once = written(read_onnx(path));
    EXPECT_TRUE(canonical(once) == canonical(read_text(path)));
  }
}

TEST(Onnx, a_built_graph_survives_the_round_trip) {
  const Graph graph = small_graph();
  const std::string bytes = written(graph);
  EXPECT_EQ(onnx_bytes(graph), bytes.size());
  const Graph again = parse_onnx(buffer_of(bytes));
  EXPECT_EQ(again.nodes.size(), 2u);
  EXPECT_EQ(again.opset, graph.opset);
  EXPECT_EQ(*again.value(again.inputs[0]).declared, *graph.value(graph.inputs[0]).declared);
  const auto bias = find_value(again, "bias");
  ASSERT_TRUE(bias);
  EXPECT_TRUE(*again.value(*bias).constant == *graph.value(1).constant);
  EXPECT_EQ(written(again), bytes);
}

TEST(Onnx, every_truncation_of_a_small_file_is_a_clear_error) {
  const std::string bytes = written(small_graph());
  for (size_t length = 0; length < bytes.size(); ++length) {
    const std::string message = message_of([&] { parse_onnx(buffer_of(bytes.substr(0, length))); });
    EXPECT_NE(message, "(no error)") << "cut to " << length << " of " << bytes.size();
  }
}

TEST(Onnx, flipped_bytes_never_crash_the_reader) {
  const std::string bytes = written(small_graph());
  int refused = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      try {
        parse_onnx(buffer_of(damaged));
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(Onnx, dangling_names_and_doubled_outputs_are_named) {
  Graph dangling = small_graph();
  dangling.nodes[0].inputs[1] = add_value(dangling, "lost");
  EXPECT_NE(message_of([&] { parse_onnx(buffer_of(written(dangling))); }).find("'lost'"),
            std::string::npos);
  Graph doubled = small_graph();
  doubled.nodes[0].outputs[0] = doubled.nodes[1].outputs[0];
  EXPECT_NE(message_of([&] { parse_onnx(buffer_of(written(doubled))); }).find("'y'"),
            std::string::npos);
}

TEST(Onnx, a_tensor_whose_bytes_do_not_fit_its_shape_is_named_with_both_numbers) {
  std::string bytes = written(small_graph());
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(bytes));
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, 5);
  const std::string message = message_of([&] { parse_onnx(buffer_of(model.SerializeAsString())); });
  EXPECT_NE(message.find("'bias'"), std::string::npos) << message;
  EXPECT_NE(message.find("12 bytes, expected 20"), std::string::npos) << message;
}

TEST(Onnx, nodes_out_of_order_are_sorted_and_a_cycle_is_refused) {
  Graph graph = small_graph();
  std::swap(graph.nodes[0], graph.nodes[1]);
  const Graph sorted = parse_onnx(buffer_of(written(graph)));
  EXPECT_EQ(sorted.nodes[0].op_type, "Add");
  graph.nodes[1].inputs[0] = graph.nodes[0].outputs[0];
  EXPECT_NE(message_of([&] { parse_onnx(buffer_of(written(graph))); }).find("cycle"),
            std::string::npos);
}

TEST(Onnx, a_missing_file_and_a_folder_are_named) {
  const TempDir folder;
  EXPECT_NE(message_of([&] { read_onnx(folder / "no.onnx"); }).find("no.onnx"), std::string::npos);
  EXPECT_NE(message_of([&] { read_onnx(folder.path()); }).find("folder"), std::string::npos);
}

// A graph whose one initialiser is large enough to lie beside the model.
Graph graph_with_weights_beside() {
  Graph graph = small_graph();
  const ValueId y = graph.outputs[0];
  const ValueId large =
      add_constant(graph, "large", Tensor::of<float>({400, 3}, std::vector<float>(1200, 0.5f)));
  const ValueId table = add_value(graph, "table");
  const ValueId sum = add_value(graph, "largest");
  add_node(graph, "ReduceMax", {large}, {table}, {{"axes", std::vector<int64_t>{0}}});
  add_node(graph, "Add", {y, table}, {sum});
  graph.value(sum).dtype = DType::f32;
  graph.outputs = {sum};
  graph.foreign.storage = Foreign::Storage::beside;
  return graph;
}

TEST(WeightsBeside, are_written_beside_and_come_back_with_the_model) {
  const TempDir dir;
  write_onnx(graph_with_weights_beside(), dir / "net.onnx");
  EXPECT_EQ(std::filesystem::file_size(dir / "net.onnx.data"), 4800u);
  EXPECT_LT(std::filesystem::file_size(dir / "net.onnx"), 1500u);
  const Graph back = read_onnx(dir / "net.onnx");
  EXPECT_EQ(back.foreign.storage, Foreign::Storage::beside);
  EXPECT_EQ(*back.value(*find_value(back, "large")).constant,
            Tensor::of<float>({400, 3}, std::vector<float>(1200, 0.5f)));
  write_onnx(back, dir / "again.onnx");
  EXPECT_EQ(read_text(dir / "again.onnx.data"), read_text(dir / "net.onnx.data"));
}

TEST(WeightsBeside, are_inside_where_the_model_is_a_stream_of_bytes) {
  const TempDir dir;
  write_onnx(graph_with_weights_beside(), dir / "net.onnx");
  const std::string bytes = written(read_onnx(dir / "net.onnx"));
  const Graph back = parse_onnx(buffer_of(bytes));
  EXPECT_EQ(back.foreign.storage, Foreign::Storage::inside);
}

TEST(WeightsBeside, a_missing_short_or_outside_file_is_named) {
  const TempDir dir;
  write_onnx(graph_with_weights_beside(), dir / "net.onnx");
  const auto message = [&](const std::filesystem::path& model) {
    try {
      read_onnx(model);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("read");
  };
  std::filesystem::resize_file(dir / "net.onnx.data", 100);
  EXPECT_NE(message(dir / "net.onnx").find("'net.onnx.data', which has 100"), std::string::npos);
  std::filesystem::remove(dir / "net.onnx.data");
  EXPECT_NE(message(dir / "net.onnx").find("net.onnx.data"), std::string::npos);
  std::string bytes = read_text(dir / "net.onnx");
  bytes.replace(bytes.find("net.onnx.data"), 13, "../secrets.tx");
  write_text(dir / "evil.onnx", bytes);
  EXPECT_NE(message(dir / "evil.onnx").find("expected a relative path without '..'"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
