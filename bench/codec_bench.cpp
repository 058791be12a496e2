// Compressing and decompressing, on one thread, in one process:
//
//   codec_bench [MODEL.onnx ...] [--weights N] [--peers]
//
// prints for each model and coder: bytes, bits a weight, bytes against the order-0 bound, encoding
// and decoding speed in GB of float32 a second (processor time of the thread, so that other work on
// the machine doesn't count); best of three. First comes a synthetic model of N weights (VGG-16's
// 138 million) in tensors of up to 25088 x 4096, 90 % zero, the rest independent draws from 32
// values whose probabilities fall geometrically. --peers adds `zstd -19` and `xz -9` on the
// tensors' bytes.

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "codec/container/codec.h"
#include "core/random.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "sharing/kmeans.h"

namespace {

using namespace coppice;

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Tensor random_tensor(int64_t rows, int64_t columns, Random& random) {
  Tensor tensor = Tensor::zeros(DType::f32, {rows, columns});
  for (float& weight : tensor.mutate<float>()) {
    const uint64_t bits = random.next();
    if (bits % 10 != 0) continue;
    // Values 1 to 16 of either sign, each less likely than the one before by a sixth.
    const double uniform = static_cast<double>(bits >> 12) * 0x1p-52;
    const int step = std::min(15, static_cast<int>(std::log1p(-uniform) / std::log(5.0 / 6)));
    weight = (bits >> 10 & 1 ? 0.013f : -0.017f) * static_cast<float>(step + 1);
  }
  return tensor;
}

Graph synthetic(int64_t weights) {
  Graph graph;
  Random random(1);
  const ValueId input = add_value(graph, "x", DType::f32);
  graph.inputs.push_back(input);
  for (int64_t left = weights; left > 0;) {
    const int64_t columns = std::min<int64_t>(left, 25088);
    const int64_t rows = std::min<int64_t>(left / columns, 4096);
    const std::string name = "w" + std::to_string(graph.nodes.size());
    const ValueId weight = add_constant(graph, name, random_tensor(rows, columns, random));
    const ValueId output = add_value(graph, name + "_out", DType::f32);
    add_node(graph, "MatMul", {input, weight}, {output});
    graph.outputs.push_back(output);
    left -= rows * columns;
  }
  return graph;
}

int64_t tensor_bytes(const Graph& graph) {
  int64_t bytes = 0;
  for (const Value& value : graph.values) {
    if (value.constant) bytes += static_cast<int64_t>(value.constant->bytes().size());
  }
  return bytes;
}

void measure(const Graph& graph, const char* name, CodecOptions::Coder coder) {
  constexpr int kRuns = 3;
  const double gigabytes = static_cast<double>(tensor_bytes(graph)) * 1e-9;
  double encoding = 1e9, decoding = 1e9, bound = 0, p_q_h = 0;
  int64_t size = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<std::byte> file;
    const double start = thread_seconds();
    const CodecReport report =
        encode(graph, {.coder = coder}, [&](std::span<const std::byte> piece) {
          file.insert(file.end(), piece.begin(), piece.end());
        });
    const double encoded = thread_seconds();
    const Buffer buffer{std::shared_ptr<std::byte>(file.data(), [](std::byte*) {}), file.size()};
    const double begin = thread_seconds();
    const Buffer back = decode(buffer);
    const double end = thread_seconds();
    encoding = std::min(encoding, encoded - start);
    decoding = std::min(decoding, end - begin);
    size = report.bytes_after;
    bound = p_q_h = static_cast<double>(report.graph_bytes);
    for (const TensorReport& tensor : report.tensors) {
      bound += tensor.bound_bits / 8;
      p_q_h += tensor.pqh_bits / 8;
    }
  }
  std::printf(
      "  %-10s %11lld bytes  %6.3f bits/weight  %+6.2f %% of bound  %+6.2f %% of P+Q+H"
      "  encode %5.2f GB/s  decode %5.2f GB/s\n",
      name, static_cast<long long>(size), static_cast<double>(size) / gigabytes * 32e-9,
      100 * (static_cast<double>(size) / bound - 1), 100 * (static_cast<double>(size) / p_q_h - 1),
      gigabytes / encoding, gigabytes / decoding);
}

void measure_peers(const Graph& graph) {
  const auto path = std::filesystem::temp_directory_path() / "codec_bench.bin";
  {
    AtomicFile file(path);
    for (const Value& value : graph.values) {
      if (value.constant) file.write(value.constant->bytes());
    }
    file.commit();
  }
  for (const char* command : {"zstd -19 -q -c ", "xz -9 -c "}) {
    const double bytes = run_peer(command + path.string() + " | wc -c");
    std::printf("  %-18s %11.0f bytes\n", command, bytes);
  }
  std::filesystem::remove(path);
}

void measure_all(const Graph& graph, const std::string& name, bool peers) {
  std::printf("%s: %.1f MB of tensors\n", name.c_str(),
              static_cast<double>(tensor_bytes(graph)) * 1e-6);
  measure(graph, "smallest", CodecOptions::Coder::smallest);
  measure(graph, "huffman", CodecOptions::Coder::huffman);
  measure(graph, "context", CodecOptions::Coder::context);
  if (peers) measure_peers(graph);
}

void measure_k_means(int64_t weights) {
  std::vector<float> values(static_cast<size_t>(weights));
  Random(1).fill_normal(values, 0.05f);
  const double start = thread_seconds();
  const SharedWeights shared = share_weights(values, {.clusters = 32});
  std::printf("k-means of %lld normal weights to 32: %.2f s on this thread, %d iterations\n",
              static_cast<long long>(weights), thread_seconds() - start, shared.iterations);
}

}  // namespace

int main(int argc, char** argv) {
  int64_t weights = 138'000'000;
  bool peers = false;
  std::vector<std::string> models;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--peers") {
      peers = true;
    } else if (word == "--weights" && i + 1 < argc) {
      weights = std::atoll(argv[++i]);
    } else {
      models.push_back(word);
    }
  }
  if (weights > 0) {
    measure_all(synthetic(weights), "synthetic, 90 % zero", peers);
    measure_k_means(weights);
  }
  for (const std::string& model : models) measure_all(read_onnx(model), model, peers);
}
