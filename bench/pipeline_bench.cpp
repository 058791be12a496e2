// Images a second of the input pipeline alone: read, shuffle, augment and preprocess as training
// does, with nobody who works on the batches.
//
//   pipeline_bench [--runs N] [--batch N] SPEC...        such as cifar10:DIR
//
// A run takes batches of one epoch for about half a second; runs alternate between one thread and
// all of them, so that a machine that is busy for a while slows both. Figures are medians.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/threads.h"
#include "data/loader.h"
#include "measure.h"

namespace coppice {
namespace {

constexpr double kRunSeconds = 0.5;

struct Options {
  int runs = 7;
  int64_t batch = 128;
  std::vector<std::string> specs;
};

LoaderOptions usual_options(const Dataset& dataset, int64_t batch) {
  LoaderOptions options;
  for (int64_t i = 0; i < dataset.size(); ++i) options.indices.push_back(i);
  options.batch = std::min(batch, dataset.size());
  options.preprocessing = dataset.own_preprocessing().value_or(Preprocessing{});
  options.augmentation = dataset.usual_augmentation();
  options.input = dataset.read(0).pixels.shape();
  const int64_t crop = options.preprocessing.crop;
  if (crop > 0) options.input = {options.input[0], crop, crop};
  return options;
}

double images_a_second(Loader& loader, int64_t epoch) {
  loader.start(epoch, 0);
  int64_t images = 0;
  double seconds = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (seconds < kRunSeconds) {
    images += static_cast<int64_t>(loader.next().labels.size());
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return static_cast<double>(images) / seconds;
}

void measure(const std::string& spec, const Options& options) {
  const auto dataset = open_dataset(spec, Split::train);
  Loader loader(*dataset, usual_options(*dataset, options.batch));
  const std::vector<int> threads = {1, available_cores()};
  std::vector<std::vector<double>> rates(threads.size());
  for (int run = 0; run <= options.runs; ++run) {
    for (size_t i = 0; i < threads.size(); ++i) {
      set_thread_count(threads[i]);
      const double rate = images_a_second(loader, run);
      if (run > 0) rates[i].push_back(rate);  // the first run warms up
    }
  }
  for (size_t i = 0; i < threads.size(); ++i) {
    const auto [low, high] = std::minmax_element(rates[i].begin(), rates[i].end());
    std::printf("%-16s %-16s %7d %12.0f %12.0f %12.0f\n", dataset->name().c_str(),
                to_string(dataset->usual_augmentation()).c_str(), threads[i], median(rates[i]),
                *low, *high);
  }
  std::fflush(stdout);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--runs") && i + 1 < argc) {
      options.runs = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--batch") && i + 1 < argc) {
      options.batch = std::max(1, std::atoi(argv[++i]));
    } else {
      options.specs.emplace_back(argv[i]);
    }
  }
  return options;
}

int run(const Options& options) {
  if (options.specs.empty()) {
    std::fprintf(stderr, "usage: pipeline_bench [--runs N] [--batch N] SPEC...\n");
    return 2;
  }
  std::printf("%-16s %-16s %7s %12s %12s %12s\n", "data set", "augmentation", "threads", "images/s",
              "least", "most");
  for (const std::string& spec : options.specs) measure(spec, options);
  return 0;
}

}  // namespace
}  // namespace coppice

int main(int argc, char** argv) {
  return coppice::run_bench(argc, argv, coppice::parse, coppice::run);
}
