// What evidence costs beside the plain forward pass, in one run:
//
//   evidence_bench [--images N] [--batch N] [--passes N] [--threads N] DATA MODEL.onnx...
//
// on the first images of a data set such as cifar10:DIR, preprocessed before the clock runs.
// Asked for are mean, variance, mean |a| and zero share of
//
//   read     every value that a Conv or Gemm reads: what criteria and compensation ask for
//   all      every float value that a node computes, BatchNormalization's inputs among them, which
//            takes normalisations and activations out of the convolutions that they are fused into
//
// and covariances of what is read; --passes 2 leaves it at "read". Every batch goes through all of
// them in turn, so that a machine that slows down or is shared slows them alike. "times" is beside
// the plain pass: by the clock, and by processor time, which is what to go by on one thread of a
// machine that others use.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
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
  int64_t images = 10000, batch = 32, passes = 4;
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
  std::vector<std::string> values;
  std::span<const Reduction> reductions;
  double ms = 0, processor_ms = 0;
};

double processor_ms() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void time_passes(const Graph& graph, std::span<const Tensor> batches, std::vector<Pass>& passes) {
  const InputSizes sizes{.inputs = {}, .batch = batches[0].shape()[0]};
  std::vector<Collector> collectors;
  std::vector<Executable> executables;
  for (const Pass& pass : passes) {
    collectors.emplace_back(graph, requests_of(pass.values, pass.reductions));
    executables.push_back(compile(graph, sizes, {}, collectors.back().observation()));
  }
  std::vector<Tensor> outputs = executables[0].allocate_outputs();
  for (Executable& executable : executables) executable.run({&batches[0], 1}, outputs);
  for (const Tensor& batch : batches) {
    for (size_t p = 0; p < passes.size(); ++p) {
      Stopwatch watch;
      const double start = processor_ms();
      executables[p].run({&batch, 1}, outputs);
      passes[p].ms += watch.lap_ms();
      passes[p].processor_ms += processor_ms() - start;
    }
  }
}

void time(const std::string& path, std::span<const Tensor> batches, const Options& options) {
  static constexpr Reduction kCovariance[] = {Reduction::covariance};
  const Graph graph = read_onnx(path);
  const auto read = values_read(graph);
  std::vector<Pass> passes = {{"plain", {}, {}},
                              {"read", read, kCheap},
                              {"all", values_computed(graph), kCheap},
                              {"covariances", read, kCovariance}};
  passes.resize(std::clamp<int64_t>(options.passes, 1, std::ssize(passes)));
  time_passes(graph, batches, passes);
  const std::string name = path.substr(path.find_last_of('/') + 1);
  for (const Pass& pass : passes) {
    std::printf("%-20s %-12s %7zu %10.0f %8.3f %13.0f %8.3f\n", name.c_str(), pass.name,
                pass.values.size(), pass.ms, pass.ms / passes[0].ms, pass.processor_ms,
                pass.processor_ms / passes[0].processor_ms);
  }
  std::fflush(stdout);
}

std::vector<Tensor> load(const Options& options) {
  const auto dataset = open_dataset(options.data, Split::train);
  std::vector<Tensor> batches;
  const Sample first = dataset->read(0);
  for (int64_t begin = 0; begin + options.batch <= options.images; begin += options.batch) {
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
    if (const int passes = number("--passes")) {
      options.passes = passes;
    } else if (const int images = number("--images")) {
      options.images = images;
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
                 "usage: evidence_bench [--images N] [--batch N] [--passes N] [--threads N] DATA "
                 "MODEL...\n");
    return 2;
  }
  const std::vector<Tensor> batches = load(options);
  std::printf("%-20s %-12s %7s %10s %8s %13s %8s\n", "model", "pass", "values", "ms", "times",
              "processor ms", "times");
  for (const std::string& model : options.models) time(model, batches, options);
  return 0;
}

}  // namespace coppice

int main(int argc, char** argv) {
  return coppice::run_bench(argc, argv, coppice::parse, coppice::run);
}
