// Dense latency beside ONNX Runtime, in one run:
//
//   runtime_bench [--rounds N] [--batch N] MODEL.onnx...
//
// Rounds alternate between the two, so that a machine that is busy for a while slows both; each
// figure is the median over the rounds of the round's median. ONNX Runtime runs in Node with its
// defaults but for the threads; what Node adds to a call is about what its smallest model takes.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "runtime/latency.h"
#include "support/onnxruntime.h"

namespace coppice {
namespace {

struct Options {
  int rounds = 5;
  int64_t batch = 1;
  std::vector<std::string> models;
};

void compare(const std::string& model, int threads, const Options& options, OnnxRuntime& judge) {
  InputSizes sizes;
  sizes.batch = options.batch;
  Target target;
  target.threads = threads;
  Executable executable = compile(read_onnx(model), sizes, target);
  const std::vector<Tensor> tensors = random_inputs(executable, 1);
  std::vector<NamedTensor> inputs;
  for (size_t i = 0; i < tensors.size(); ++i) {
    inputs.push_back({executable.input_names()[i], tensors[i]});
  }
  std::vector<double> ours, theirs;
  for (int round = 0; round < options.rounds; ++round) {
    LatencyOptions latency;
    latency.budget_seconds = 0.5;
    const Latency measured = measure_latency(executable, latency);
    ours.push_back(measured.median_ms);
    theirs.push_back(judge.median_ms(model, inputs, measured.runs, threads));
  }
  const std::string name = model.substr(model.find_last_of('/') + 1);
  std::printf("%-44s %7d %10.3f %12.3f %8.2f\n", name.c_str(), threads, median(ours),
              median(theirs), median(ours) / median(theirs));
  std::fflush(stdout);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc) {
      options.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--batch") && i + 1 < argc) {
      options.batch = std::max(1, std::atoi(argv[++i]));
    } else {
      options.models.push_back(argv[i]);
    }
  }
  return options;
}

int run(const Options& options) {
  auto judge = OnnxRuntime::start();
  if (!judge || options.models.empty()) {
    std::fprintf(stderr, "%s\n",
                 judge ? "usage: runtime_bench [--rounds N] [--batch N] MODEL..." : kNoOnnxRuntime);
    return 2;
  }
  std::printf("%-44s %7s %10s %12s %8s\n", "model", "threads", "coppice ms", "onnxrt ms", "ratio");
  for (const std::string& model : options.models) {
    for (const int threads : {1, 2}) compare(model, threads, options, *judge);
  }
  return 0;
}

}  // namespace
}  // namespace coppice

int main(int argc, char** argv) {
  return coppice::run_bench(argc, argv, coppice::parse, coppice::run);
}
