// One step of training a zoo model, beside PyTorch in one run:
//
//   train_bench [MODEL ...] [--peer 'COMMAND'] [--runs N] [--steps N] [--batch N] [--threads N]
//               [--optimizer sgd|adam]
//
// A step is forward, backward and an update of random images, by Nesterov's momentum with weight
// decay or by Adam without; a run is the median of its steps after two to warm up; printed are the
// median of the runs and the fastest. Runs alternate with the peer's, so that a machine that is
// busy for a while slows all alike. COMMAND gets MODEL, a layout, the batch, the threads, the steps
// and the optimizer, and prints seconds:
//
//   train_bench resnet20 resnet56 --peer '/usr/bin/python3 bench/peer_torch_train.py'

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "core/threads.h"
#include "graph/infer.h"
#include "measure.h"
#include "training/trainer.h"
#include "zoo/zoo.h"

namespace coppice {
namespace {

constexpr int kWarmUp = 2;
constexpr const char* kLayouts[] = {"default", "channels_last"};

struct Options {
  std::vector<std::string> models;
  std::string peer;
  int runs = 5, steps = 10, threads = available_cores();
  int64_t batch = 128;
  std::string optimizer = "sgd";
};

class Ours {
 public:
  Ours(const std::string& model, const Options& options)
      : options_(options), trainer_(open_trainer({.device = "cpu", .threads = options.threads})) {
    const Graph graph = build_zoo_model(model, 0);
    TrainingSetup setup;
    setup.classes = infer(graph).shape(graph.outputs.front()).back();
    if (options.optimizer == "adam") {
      setup.optimizer = {.kind = OptimizerOptions::Kind::adam, .weight_decay = 0};
    }
    trainer_->load(graph, setup, {});
    InputSizes sizes;
    sizes.batch = options.batch;
    images_ = Tensor::zeros(DType::f32, input_shape(graph, graph.inputs.front(), sizes));
    Random random(0);
    random.fill_normal(images_.mutate<float>(), 1);
    for (int64_t i = 0; i < options.batch; ++i) {
      labels_.push_back(static_cast<int64_t>(random.below(static_cast<uint64_t>(setup.classes))));
    }
  }

  // Seconds of a step.
  double run() {
    std::vector<double> seconds;
    for (int step = 0; step < kWarmUp + options_.steps; ++step) {
      const auto start = std::chrono::steady_clock::now();
      trainer_->step(images_, labels_, {.learning_rate = 0.01});
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      if (step >= kWarmUp) seconds.push_back(taken.count());
    }
    return median(seconds);
  }

 private:
  const Options& options_;
  std::unique_ptr<Trainer> trainer_;
  Tensor images_;
  std::vector<int64_t> labels_;
};

double run_layout(const std::string& model, const char* layout, const Options& options) {
  const double seconds =
      run_peer(options.peer + " " + model + " " + layout + " " + std::to_string(options.batch) +
               " " + std::to_string(options.threads) + " " + std::to_string(options.steps) + " " +
               options.optimizer);
  if (seconds <= 0) fail_usage("--peer '" + options.peer + "' failed or printed no seconds");
  return seconds;
}

void compare(const std::string& model, const Options& options) {
  Ours trainer(model, options);
  std::vector<double> ours, theirs[std::size(kLayouts)];
  for (int run = 0; run < options.runs; ++run) {
    ours.push_back(trainer.run());
    for (size_t l = 0; l < std::size(kLayouts) && !options.peer.empty(); ++l) {
      theirs[l].push_back(run_layout(model, kLayouts[l], options));
    }
  }
  std::printf("%s, batch %lld, %s, %d threads, median of %d runs and the fastest\n", model.c_str(),
              static_cast<long long>(options.batch), options.optimizer.c_str(), options.threads,
              options.runs);
  const double median_ours = median(ours), least_ours = *std::ranges::min_element(ours);
  std::printf("  %-22s %8.2f ms a step, %8.2f\n", "ours", median_ours * 1e3, least_ours * 1e3);
  for (size_t l = 0; l < std::size(kLayouts); ++l) {
    if (theirs[l].empty()) continue;
    const double middle = median(theirs[l]), least = *std::ranges::min_element(theirs[l]);
    std::printf("  peer, %-16s %8.2f ms, %.2f times ours; %8.2f ms, %.2f times\n", kLayouts[l],
                middle * 1e3, middle / median_ours, least * 1e3, least / least_ours);
  }
  std::fflush(stdout);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool option = word.starts_with("--");
    if (option && i + 1 == argc) fail_usage("option '" + word + "' expects a value");
    if (!option) {
      options.models.push_back(word);
    } else if (word == "--peer") {
      options.peer = argv[++i];
    } else if (word == "--optimizer") {
      options.optimizer = argv[++i];
      if (options.optimizer != "sgd" && options.optimizer != "adam") {
        fail_usage("--optimizer '" + options.optimizer + "': expected sgd or adam");
      }
    } else {
      const int number = std::atoi(argv[++i]);
      if (number < 1) fail_usage(word + " '" + argv[i] + "': expected a number from 1");
      if (word == "--runs") {
        options.runs = number;
      } else if (word == "--steps") {
        options.steps = number;
      } else if (word == "--batch") {
        options.batch = number;
      } else if (word == "--threads") {
        options.threads = number;
      } else {
        fail_usage("unknown option '" + word + "'");
      }
    }
  }
  if (options.models.empty()) options.models = {"resnet20", "resnet56"};
  return options;
}

}  // namespace
}  // namespace coppice

int main(int argc, char** argv) {
  try {
    const coppice::Options options = coppice::parse(argc, argv);
    for (const std::string& model : options.models) coppice::compare(model, options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_bench: %s\n", error.what());
    return 2;
  }
  return 0;
}
