// What a candidate of a search costs, beside the plain evaluation of a net of its size:
//
//   search_bench [--runs N] [--threads N] DATA MODEL.onnx
//
// on a data set such as cifar10:DIR. Candidates keep half of the multiply-accumulates, in widths
// that differ from run to run. Each is made as metapruning makes its own: a PruningNet (untrained:
// that makes no difference to the time) generates the weights, the net is cut, the statistics of
// its normalisations are found anew on 2,560 training images, and 2,000 others judge it. The peer
// is what `coppice eval` does for those 2,000, in the same run: compile for inference and run.
// Medians.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "core/threads.h"
#include "data/dataset.h"
#include "graph/passes/loosen.h"
#include "measure.h"
#include "methods/one_shot/one_shot.h"
#include "methods/search/pruning_net.h"
#include "onnx/onnx.h"
#include "runtime/executable.h"
#include "session/session.h"
#include "training/judging/evaluation.h"
#include "training/trainer.h"

namespace coppice {
namespace {

constexpr int64_t kRecalibrated = 2560, kJudged = 2000, kBatch = 128;
constexpr double kKept = 0.5;

struct Options {
  int runs = 5, threads = available_cores();
  std::string data, model;
};

// About half of the multiply-accumulates: each group keeps 0.5 to 0.9 of its units, and then all
// lose alike until the budget is met.
Widths some_widths(const Traced& traced, uint64_t seed) {
  Random random(seed);
  const Groups& groups = traced.groups();
  std::vector<double> shares;
  for (size_t g = 0; g < groups.free.size(); ++g) {
    shares.push_back(0.5 + 0.4 * static_cast<double>(random.below(1000)) / 1000);
  }
  for (double scale = 1;; scale *= 0.98) {
    Widths widths;
    for (size_t g = 0; g < shares.size(); ++g) {
      const auto units = static_cast<double>(groups.free[g].units());
      widths.push_back(std::max<int64_t>(1, std::llround(scale * shares[g] * units)));
    }
    const Costs costs = traced.costs().after(removal_for(groups, in_order(groups), widths));
    if (static_cast<double>(costs.macs) <= kKept * static_cast<double>(traced.costs().all().macs)) {
      return widths;
    }
  }
}

double plain_evaluation_ms(const Graph& graph, const Dataset& dataset,
                           const std::vector<int64_t>& images, const Preprocessing& preprocessing,
                           int threads) {
  Stopwatch watch;
  const InputSizes sizes{.inputs = {}, .batch = 100};
  Executable executable = compile(graph, sizes, {.threads = threads});
  std::vector<Tensor> outputs = executable.allocate_outputs();
  const Shape& input = executable.input_shape(0);
  evaluate(
      [&](const Tensor& batch) {
        executable.run(std::vector<Tensor>{batch}, outputs);
        return outputs.front();
      },
      dataset,
      {.indices = images,
       .input = Shape(input.begin() + 1, input.end()),
       .preprocessing = preprocessing});
  return watch.lap_ms();
}

int run(const Options& options) {
  set_thread_count(options.threads);
  const auto dataset = open_dataset(options.data, Split::train);
  const auto preprocessing = dataset->own_preprocessing();
  if (!preprocessing) fail_usage("'" + options.data + "' doesn't say how it is preprocessed");
  Graph graph = read_onnx(options.model);
  loosen(graph);
  const Traced traced(graph);
  const auto trainer = open_trainer({.device = "cpu", .threads = options.threads});
  Observer observer;
  const double all = static_cast<double>(dataset->size());
  const PartShares shares{.held_out = 0.01, .search = kJudged / all};
  Session session(graph, {dataset.get(), *preprocessing, shares}, *trainer, observer,
                  {.candidates = SessionOptions::Candidates::by_runtime});
  const PruningNet net = pruning_net_of(traced, {});
  const Recalibration how{.batches = kRecalibrated / kBatch, .batch = kBatch};

  std::vector<double> made, found, judged, whole, plain;
  for (int turn = 0; turn < options.runs + 1; ++turn) {
    const Widths widths = some_widths(traced, static_cast<uint64_t>(turn));
    Stopwatch watch;
    const Traced candidate = generated(traced, net.graph, widths);
    OneShotOptions cutting;
    cutting.verify = Verify::off;
    const Removal removal = removal_for(traced.groups(), in_order(traced.groups()), widths);
    Graph cut = cut_to(candidate, removal, cutting).graph;
    const double made_ms = watch.lap_ms();
    cut = session.recalibrated(std::move(cut), how);
    const double found_ms = watch.lap_ms();
    session.evaluate(cut, Part::search);
    const double judged_ms = watch.lap_ms();
    const double plain_ms = plain_evaluation_ms(cut, *dataset, session.images(Part::search),
                                                *preprocessing, options.threads);
    if (turn == 0) continue;  // warms up
    made.push_back(made_ms);
    found.push_back(found_ms);
    judged.push_back(judged_ms);
    whole.push_back(made_ms + found_ms + judged_ms);
    plain.push_back(plain_ms);
  }
  std::printf("%d candidates, %d threads, medians\n", options.runs, options.threads);
  std::printf("  weights generated and cut %8.0f ms\n", median(made));
  std::printf("  statistics, %5lld images  %8.0f ms\n", static_cast<long long>(kRecalibrated),
              median(found));
  std::printf("  judged by %5lld images    %8.0f ms, %.2f times the plain evaluation (%.0f ms)\n",
              static_cast<long long>(kJudged), median(judged), median(judged) / median(plain),
              median(plain));
  std::printf("  a candidate in all        %8.0f ms (%.0f to %.0f)\n", median(whole),
              *std::ranges::min_element(whole), *std::ranges::max_element(whole));
  return 0;
}

Options parse(int argc, char** argv) {
  Options options;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const bool runs = !std::strcmp(argv[i], "--runs");
    if (!runs && std::strcmp(argv[i], "--threads") != 0) {
      words.emplace_back(argv[i]);
      continue;
    }
    const int number = i + 1 < argc ? std::atoi(argv[++i]) : 0;
    if (number < 1) fail_usage("--runs and --threads expect a number from 1");
    (runs ? options.runs : options.threads) = number;
  }
  if (words.size() != 2) fail_usage("search_bench [--runs N] [--threads N] DATA MODEL.onnx");
  options.data = words[0];
  options.model = words[1];
  return options;
}

}  // namespace
}  // namespace coppice

int main(int argc, char** argv) {
  return coppice::run_bench(argc, argv, coppice::parse, coppice::run);
}
