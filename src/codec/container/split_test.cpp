// Large tensors are taken out of the file wherever the writer puts them; the rest puts together.
#include "codec/container/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/files.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/shared_data.h"

namespace coppice::codec {
namespace {

void expect_puts_together(const Graph& graph, const SplitFile& file) {
  Bytes onnx, joined;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) { append(onnx, piece); });
  ByteReader rest(file.rest);
  for (const Hole& hole : file.holes) {
    append(joined, rest.take(hole.before));
    append(joined, graph.value(hole.value).constant->bytes());
  }
  append(joined, rest.rest());
  EXPECT_EQ(joined, onnx);
  EXPECT_EQ(file.file_bytes, onnx.size());
}

TEST(Split, initialisers_of_32_bytes_and_more_are_taken_out) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [N, 4]
    const large float32 [4, 8] random
    const small float32 [7] random
    const edge float32 [8] random
    a = MatMul(x, large)
    b = Add(a, edge)
    output b)");
  const SplitFile file = split_file(graph);
  ASSERT_EQ(file.holes.size(), 2u);
  EXPECT_EQ(graph.value(file.holes[0].value).name, "large");
  EXPECT_EQ(graph.value(file.holes[1].value).name, "edge");
  expect_puts_together(graph, file);
}

// A file that nobody of ours wrote: initialisers before the nodes, the name behind the data, and
// fields that we don't know.
TEST(Split, a_file_of_another_writer_is_put_together_as_it_was) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  size_t holes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*data / "models")) {
    if (entry.path().extension() != ".onnx" || entry.file_size() > 20'000'000) continue;
    SCOPED_TRACE(entry.path());
    const Graph graph = read_onnx(entry.path());
    const Buffer original = read_file(entry.path());
    const SplitFile file = split_file(graph, original.bytes());
    Bytes joined;
    ByteReader rest(file.rest);
    for (const Hole& hole : file.holes) {
      append(joined, rest.take(hole.before));
      append(joined, graph.value(hole.value).constant->bytes());
    }
    append(joined, rest.rest());
    EXPECT_TRUE(std::ranges::equal(joined, original.bytes()));
    EXPECT_EQ(file.file_bytes, original.size);
    EXPECT_EQ(file.holes.size(), split_file(graph).holes.size()) << "no tensor is missed";
    holes += file.holes.size();
  }
  EXPECT_GT(holes, 50u);
}

TEST(Split, tensors_of_constant_nodes_are_taken_out) {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 4]
    const w float32 [4, 8] random
    a = MatMul(x, w)
    output a)");
  for (const char* name : {"first", "second"}) {
    Tensor tensor = Tensor::zeros(DType::f32, {100});
    tensor.mutate<float>()[3] = 1;
    const ValueId id = add_constant(graph, name, tensor);
    add_node(graph, "Constant", {}, {id});
    graph.outputs.push_back(id);
  }
  const SplitFile file = split_file(graph);
  EXPECT_EQ(file.holes.size(), 3u);
  expect_puts_together(graph, file);
}

TEST(Split, tensors_with_typed_data_are_taken_out) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  const Graph graph = read_onnx(*data / "models/wild/mnist_cntk.onnx");
  ASSERT_FALSE(graph.foreign.tensors.empty());
  const SplitFile file = split_file(graph);
  std::set<std::string> taken;
  for (const Hole& hole : file.holes) taken.insert(graph.value(hole.value).name);
  for (const Value& value : graph.values) {
    if (!value.constant || value.dtype != DType::f32) continue;
    EXPECT_EQ(taken.contains(value.name), value.constant->bytes().size() >= kLeastTensorBytes)
        << value.name;
  }
  expect_puts_together(graph, file);
}

}  // namespace
}  // namespace coppice::codec
