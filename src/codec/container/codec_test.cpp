// Real models come back byte by byte; damaged containers are refused by name.
#include "codec/container/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "codec/container/frame.h"
#include "core/error.h"
#include "core/random.h"
#include "onnx/onnx.h"
#include "support/graphs/text_graph.h"
#include "support/shared_data.h"

namespace coppice {
namespace {

using codec::Bytes;
using Coder = CodecOptions::Coder;

constexpr Coder kCoders[] = {Coder::smallest, Coder::huffman, Coder::context};

Buffer buffer_of(std::span<const std::byte> bytes) {
  Buffer buffer{
      std::shared_ptr<std::byte>(new std::byte[bytes.size()], std::default_delete<std::byte[]>()),
      bytes.size()};
  std::ranges::copy(bytes, buffer.data.get());
  return buffer;
}

Bytes onnx_of(const Graph& graph) {
  Bytes bytes;
  serialise_onnx(graph, [&](std::span<const std::byte> piece) { codec::append(bytes, piece); });
  return bytes;
}

Bytes container_of(const Graph& graph, const CodecOptions& options = {},
                   CodecReport* report = nullptr) {
  Bytes bytes;
  const CodecReport done =
      encode(graph, options, [&](std::span<const std::byte> p) { codec::append(bytes, p); });
  EXPECT_EQ(done.bytes_after, static_cast<int64_t>(bytes.size()));
  if (report) *report = done;
  return bytes;
}

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::ranges::equal(a, b);
}

std::string message_of_decoding(std::span<const std::byte> bytes) {
  try {
    decode(buffer_of(bytes));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    return error.what();
  }
  return "no error";
}

bool codec_is_lossless(const Graph& graph, const Bytes& container) {
  return same_bytes(decode(buffer_of(container)).bytes(), onnx_of(graph));
}

// One byte of one section is another, and the checksums are right again.
Bytes with_a_changed_payload(const Bytes& container, Random& random) {
  constexpr size_t kBeforeSections = 9;  // magic and version
  std::vector<Bytes> payloads;
  codec::ByteReader reader{std::span(container).subspan(kBeforeSections)};
  while (reader.left() > 0) {
    const auto payload = codec::take_section(reader);
    payloads.emplace_back(payload.begin(), payload.end());
  }
  Bytes& payload = payloads[random.below(payloads.size())];
  payload[random.below(payload.size())] ^= static_cast<std::byte>(1 + random.below(255));
  Bytes changed(container.begin(), container.begin() + kBeforeSections);
  for (const Bytes& each : payloads) codec::append(changed, codec::framed(each));
  return changed;
}

// A net with a tensor for most storages.
Graph small_net() {
  Graph graph = parse_text_graph(R"(
    input x float32 [N, 6]
    const dense float32 [6, 8] random
    const bias float32 [8] zeros
    const sparse float32 [8, 40] random
    const shared float32 [40, 16] random
    h = Gemm(x, dense, bias)
    s = MatMul(h, sparse)
    y = MatMul(s, shared)
    output y)");
  for (Value& value : graph.values) {
    if (value.name == "sparse") {
      auto weights = value.constant->mutate<float>();
      for (size_t i = 0; i < weights.size(); ++i) weights[i] = i % 7 == 3 ? weights[i] : 0;
    }
    if (value.name == "shared") {
      auto weights = value.constant->mutate<float>();
      for (size_t i = 0; i < weights.size(); ++i) weights[i] = i % 3 ? 0 : (i % 2 ? 0.5f : -0.25f);
    }
  }
  return graph;
}

std::vector<std::filesystem::path> models_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> models;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  return models;
}

TEST(Codec, real_models_come_back_byte_by_byte) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  for (const auto& path : models_in(*data / "models")) {
    const Graph graph = read_onnx(path);
    const Bytes onnx = onnx_of(graph);
    for (const Coder coder : kCoders) {
      CodecReport report;
      const Bytes container = container_of(graph, {.coder = coder}, &report);
      EXPECT_EQ(report.bytes_before, static_cast<int64_t>(onnx.size()));
      EXPECT_LT(container.size(), onnx.size()) << path;
      const Buffer back = decode(buffer_of(container));
      ASSERT_TRUE(same_bytes(back.bytes(), onnx)) << path;
      EXPECT_EQ(parse_onnx(back).nodes.size(), graph.nodes.size());
    }
  }
}

TEST(Codec, a_small_net_comes_back_by_every_coder) {
  const Graph graph = small_net();
  for (const Coder coder : kCoders) {
    CodecReport report;
    const Bytes container = container_of(graph, {.coder = coder}, &report);
    EXPECT_TRUE(codec_is_lossless(graph, container));
    EXPECT_EQ(report.tensors.size(), 4u);
    int64_t bytes = report.graph_bytes;
    for (const TensorReport& tensor : report.tensors) bytes += tensor.bytes;
    EXPECT_LT(bytes, report.bytes_after);
    EXPECT_LT(report.bytes_after, bytes + 32);
  }
}

TEST(Codec, the_huffman_coder_gives_the_papers_storage_and_the_index_width_asked_for) {
  for (const int bits : {3, 5, 8}) {
    CodecReport report;
    container_of(small_net(), {.coder = Coder::huffman, .index_bits = bits}, &report);
    const auto shared = std::ranges::find(report.tensors, "shared", &TensorReport::name);
    ASSERT_NE(shared, report.tensors.end());
    EXPECT_EQ(shared->storage, "relative indices, codes by Huffman");
    EXPECT_EQ(shared->index_bits, bits);
  }
  EXPECT_THROW(container_of(small_net(), {.index_bits = 13}), Error);
  EXPECT_THROW(container_of(small_net(), {.index_bits = -1}), Error);
}

TEST(Codec, a_graph_without_tensors_comes_back) {
  const Graph graph = parse_text_graph(R"(
    input x float32 [2]
    y = Relu(x)
    output y)");
  EXPECT_TRUE(codec_is_lossless(graph, container_of(graph)));
}

TEST(Codec, small_empty_and_wide_tensors_come_back) {
  Graph graph = small_net();
  std::vector<std::string> extra;
  const auto add = [&](const char* name, Tensor tensor) {
    const ValueId id = add_constant(graph, name, std::move(tensor));
    const ValueId out = add_value(graph, std::string(name) + "_out");
    add_node(graph, "Identity", {id}, {out});
    graph.outputs.push_back(out);
  };
  add("empty", Tensor::zeros(DType::f32, {0, 3}));
  add("tiny", Tensor::scalar(2.5f));
  add("doubles", Tensor::zeros(DType::f64, {100}));
  add("complex", Tensor::zeros(DType::c128, {7}));
  add("many", Tensor::zeros(DType::f32, {100000}));
  Tensor longs = Tensor::zeros(DType::i64, {50});
  for (size_t i = 0; i < 50; ++i) longs.mutate<int64_t>()[i] = static_cast<int64_t>(i) - 20;
  add("longs", longs);
  for (const Coder coder : kCoders) {
    EXPECT_TRUE(codec_is_lossless(graph, container_of(graph, {.coder = coder})));
  }
}

TEST(Codec, a_container_cut_at_any_byte_is_refused) {
  const Bytes container = container_of(small_net());
  ASSERT_TRUE(codec_is_lossless(small_net(), container));
  for (size_t size = 0; size < container.size(); ++size) {
    EXPECT_NE(message_of_decoding(std::span(container).first(size)), "no error") << size;
  }
}

TEST(Codec, a_container_with_a_changed_byte_is_refused) {
  const Bytes container = container_of(small_net());
  Random random(1);
  for (int round = 0; round < 4000; ++round) {
    Bytes changed = container;
    changed[random.below(changed.size())] ^= static_cast<std::byte>(1 + random.below(255));
    EXPECT_NE(message_of_decoding(changed), "no error") << round;
  }
}

// Checksums don't protect from somebody who puts them right.
TEST(Codec, changed_bytes_under_right_checksums_give_an_error_or_other_content) {
  const Bytes container = container_of(small_net());
  Random random(2);
  int errors = 0;
  for (int round = 0; round < 4000; ++round) {
    const Bytes changed = with_a_changed_payload(container, random);
    errors += message_of_decoding(changed) != "no error" ? 1 : 0;
  }
  EXPECT_GT(errors, 400);
}

TEST(Codec, errors_name_the_section) {
  const Bytes container = container_of(small_net());
  Bytes changed = container;
  changed[changed.size() - 6] ^= std::byte{1};
  EXPECT_NE(message_of_decoding(changed).find("tensor 4 of 4: its checksum is"), std::string::npos);
  changed = container;
  changed[40] ^= std::byte{1};
  EXPECT_NE(message_of_decoding(changed).find("graph: its checksum is"), std::string::npos);
  changed = container;
  changed[10] ^= std::byte{1};
  EXPECT_NE(message_of_decoding(changed).find("header: "), std::string::npos);
  changed = container;
  changed.push_back(std::byte{0});
  EXPECT_NE(message_of_decoding(changed).find("after the last tensor 1 bytes"), std::string::npos);
}

TEST(Codec, a_newer_version_is_refused_by_its_number) {
  Bytes container = container_of(small_net());
  ASSERT_TRUE(is_container(container));
  container[8] = std::byte{2};
  EXPECT_TRUE(is_container(container));
  EXPECT_NE(message_of_decoding(container).find("version 2"), std::string::npos);
  container[0] = std::byte{'x'};
  EXPECT_FALSE(is_container(container));
  EXPECT_NE(message_of_decoding(container).find("no compressed model"), std::string::npos);
  EXPECT_FALSE(is_container({}));
}

TEST(Codec, the_same_graph_gives_the_same_bytes) {
  EXPECT_TRUE(same_bytes(container_of(small_net()), container_of(small_net())));
}

// Han's own pruned and shared net: 415,921 of 1,244,448 weights, 256 values a layer.
TEST(Codec, the_authors_squeezenet_is_smaller_than_theirs_and_by_contexts_smaller_still) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << kNoSharedData;
  const Graph graph = read_onnx(*data / "models/imagenet/squeezenet_1.0_deepcompressed_227.onnx");
  constexpr size_t kAuthorsBytes = 675763;
  const size_t huffman = container_of(graph, {.coder = Coder::huffman}).size();
  EXPECT_LT(huffman, kAuthorsBytes);
  EXPECT_LT(static_cast<double>(container_of(graph).size()), 0.97 * static_cast<double>(huffman));
}

}  // namespace
}  // namespace coppice
