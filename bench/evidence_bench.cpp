// What evidence costs beside the plain forward pass, in one run:
//
//   evidence_bench [--rounds N] [--pictures N] [--batch N] [--threads N] DATA MODEL.onnx...
//
// on the first pictures of a data set such as cifar10:DIR, preprocessed before the clock runs.
// Asked for are mean, variance, mean |a| and zero share of
//
//   read     every value that a Conv or Gemm reads: what criteria and compensation ask for
//   all      every float value that a node computes, BatchNormalization's inputs among them, which
//            takes normalisations and activations out of the convolutions that they are fused into
//
// and covariances of what is read. Rounds go through all of them in turn; each figure is the
// median over the rounds, and "times" is beside the plain pass.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <set>

#include "core/threads.h"
#include "data/batch.h"
#include "evidence/collector.h"
#include "graph/infer.h"
#include "graph/is_onnx.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"

namespace coppice {
namespace {

struct Options {
  int rounds = 5;
  int64_t pictures = 10000, batch = 32;
  std::string data;
  std::vector<std::string> models;
};

constexpr Reduction kCheap[] = {Reduction::mean, Reduction::variance, Reduction::mean_absolute,
                                Reduction::zero_share};

std::vector<std::string> values_read(const Graph& graph) {
  std::set<ValueId> values;
  for (const Node& node : graph.nodes) {
    if (is_onnx(node, "Conv") || is_onnx(node, "Gemm")) values.insert(node.inputs[0]);
  }
  std::vector<std::string> names;
  for (const ValueId id : values) names.push_back(graph.value(id).name);
  return names;
}

std::vector<std::string> values_computed(const Graph& graph) {
  const Inferred inferred = infer(graph);
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    const ValueId id = node.outputs[0];
    if (!inferred.has(id) || inferred.types[id]->dtype != DType::f32) continue;
    if (inferred.shape(id).size() >= 2) names.push_back(graph.value(id).name);
  }
  return names;
}

std::vector<EvidenceRequest> requests_of(const std::vector<std::string>& values,
                                         std::span<const Reduction> reductions) {
  std::vector<EvidenceRequest> requests;
  for (const std::string& value : values) {
    for (const Reduction reduction : reductions) requests.push_back({value, reduction});
  }
  return requests;
}

struct Pass {
  const char* name;
  Executable executable;
  std::vector<double> ms = {};
};

void time(const std::string& path, std::span<const Tensor> batches, const Options& options) {
  const Graph graph = read_onnx(path);
  constexpr Reduction kCovariance[] = {Reduction::covariance};
  const auto read = values_read(graph), all = values_computed(graph);
  std::vector<Collector> collectors;
  collectors.emplace_back(graph, requests_of(read, kCheap));
  collectors.emplace_back(graph, requests_of(all, kCheap));
  collectors.emplace_back(graph, requests_of(read, kCovariance));
  const InputSizes sizes{.inputs = {}, .batch = options.batch};
  std::vector<Pass> passes;
  passes.push_back({"plain", compile(graph, sizes)});
  const char* names[] = {"read", "all", "covariances"};
  for (size_t i = 0; i < collectors.size(); ++i) {
    passes.push_back({names[i], compile(graph, sizes, {}, collectors[i].observation())});
  }
  std::vector<Tensor> outputs = passes[0].executable.allocate_outputs();
  for (int round = 0; round <= options.rounds; ++round) {  // the first warms up
    for (Pass& pass : passes) {
      Stopwatch watch;
      for (const Tensor& batch : batches) pass.executable.run(std::span(&batch, 1), outputs);
      if (round > 0) pass.ms.push_back(watch.lap_ms());
    }
  }
  const std::string name = path.substr(path.find_last_of('/') + 1);
  for (const Pass& pass : passes) {
    const auto values = &pass == &passes[2] ? all.size() : read.size();
    std::printf("%-20s %-12s %7zu %10.0f %8.3f\n", name.c_str(), pass.name,
                &pass == passes.data() ? 0 : values, median(pass.ms),
                median(pass.ms) / median(passes[0].ms));
  }
  std::fflush(stdout);
}

std::vector<Tensor> load(const Options& options) {
  const auto dataset = open_dataset(options.data, Split::train);
  std::vector<Tensor> batches;
  const Sample first = dataset->read(0);
  for (int64_t begin = 0; begin + options.batch <= options.pictures; begin += options.batch) {
    std::vector<int64_t> indices(options.batch);
    std::iota(indices.begin(), indices.end(), begin);
    Shape shape = first.pixels.shape();
    shape.insert(shape.begin(), options.batch);
    batches.push_back(Tensor::zeros(DType::f32, shape));
    load_batch(*dataset, *dataset->own_preprocessing(), indices, batches.back(), {});
  }
  return batches;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const auto number = [&](const char* name) {
      return !std::strcmp(argv[i], name) && i + 1 < argc ? std::max(1, std::atoi(argv[++i])) : 0;
    };
    if (const int rounds = number("--rounds")) {
      options.rounds = rounds;
    } else if (const int pictures = number("--pictures")) {
      options.pictures = pictures;
    } else if (const int batch = number("--batch")) {
      options.batch = batch;
    } else if (const int threads = number("--threads")) {
      set_thread_count(threads);
    } else if (options.data.empty()) {
      options.data = argv[i];
    } else {
      options.models.push_back(argv[i]);
    }
  }
  return options;
}

}  // namespace

int run(const Options& options) {
  if (options.models.empty()) {
    std::fprintf(stderr,
                 "usage: evidence_bench [--rounds N] [--pictures N] [--batch N] [--threads N] DATA "
                 "MODEL...\n");
    return 2;
  }
  const std::vector<Tensor> batches = load(options);
  std::printf("%-20s %-12s %7s %10s %8s\n", "model", "pass", "values", "ms", "times");
  for (const std::string& model : options.models) time(model, batches, options);
  return 0;
}

}  // namespace coppice

int main(int argc, char** argv) {
  try {
    return coppice::run(coppice::parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
