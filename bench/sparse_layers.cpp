// Single layers on sparse weights (sparse_bench.h).
#include <cmath>
#include <cstdio>
#include <string>

#include "core/random.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "runtime/latency.h"
#include "sparse_bench.h"
#include "support/temp_dir.h"
#include "zoo/builder.h"

namespace coppice {
namespace {

struct LayerCase {
  int64_t channels, filters, size, kernel;
};

Graph convolution(const LayerCase& l) {
  Builder net("layer", 1, {.conv = he_fan_in, .linear = he_fan_in});
  const ValueId x = net.input({l.channels, l.size, l.size});
  return net.finish(net.relu(
      "relu", net.conv("conv", x, l.filters, {.kernel = l.kernel, .padding = l.kernel / 2})));
}

Graph product(int64_t inputs, int64_t outputs) {
  Builder net("product", 1, {.conv = he_fan_in, .linear = he_fan_in});
  return net.finish(net.relu("relu", net.linear("fc", net.input({inputs}), outputs)));
}

// More than any cache holds.
void evict() {
  static std::vector<float> memory(24 << 20);
  for (size_t i = 0; i < memory.size(); i += 16) memory[i] += 1;
}

std::vector<NamedTensor> named(const Executable& executable, const std::vector<Tensor>& tensors) {
  std::vector<NamedTensor> inputs;
  for (size_t i = 0; i < tensors.size(); ++i) {
    inputs.push_back({executable.input_names()[i], tensors[i]});
  }
  return inputs;
}

// Median times of a run of each, in turns, with weights cold.
std::vector<double> cold_ms(std::vector<Executable>& models, int runs) {
  const std::vector<Tensor> inputs = random_inputs(models[0], 1);
  std::vector<std::vector<double>> times(models.size());
  for (int run = 0; run < runs; ++run) {
    for (size_t m = 0; m < models.size(); ++m) {
      std::vector<Tensor> outputs = models[m].allocate_outputs();
      models[m].run(inputs, outputs);  // wakes the threads up
      evict();
      Stopwatch watch;
      models[m].run(inputs, outputs);
      times[m].push_back(watch.lap_ms());
    }
  }
  std::vector<double> medians;
  for (const auto& of : times) medians.push_back(median(of));
  return medians;
}

std::vector<Executable> dense_and(Target::Sparsity sparsity, const Graph& graph, int threads) {
  std::vector<Executable> both;
  both.push_back(compile(graph, {}, target_of(threads, Target::Sparsity::dense)));
  Target target = target_of(threads, sparsity);
  target.profile = Target::Profile::on;
  both.push_back(compile(graph, {}, target));
  return both;
}

std::string kernel_of(const Executable& executable) {
  for (const LayerTime& layer : executable.layer_times()) {
    if (!layer.kernel.empty()) return layer.kernel;
  }
  return "";
}

void walk(const std::string& name, const Graph& dense, int64_t together,
          const SparseBenchOptions& options) {
  for (const double zeros : {0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99}) {
    Graph graph = dense;
    prune_at_random(graph, zeros, together);
    std::vector<Executable> both = dense_and(Target::Sparsity::timed, graph, options.threads);
    std::vector<double> ratios, ms;
    for (int round = 0; round < options.rounds; ++round) {
      const auto times = measure_in_turns(both, {.budget_seconds = 0.05, .max_runs = 25});
      ratios.push_back(times[1].median_ms / times[0].median_ms);
      ms.push_back(times[0].median_ms);
    }
    std::printf("%-26s %5.0f%% %5lld %9.3f %8.3f  %s\n", name.c_str(), 100 * zeros,
                static_cast<long long>(together), median(ms), median(ratios),
                kernel_of(both[1]).c_str());
    std::fflush(stdout);
  }
}

std::string name_of(const LayerCase& l) {
  const auto text = [](int64_t number) { return std::to_string(number); };
  return text(l.kernel) + "x" + text(l.kernel) + " " + text(l.channels) + "->" + text(l.filters) +
         " @" + text(l.size);
}

}  // namespace

// Zeros in blocks of `together` output channels; the stem, of three channels, stays dense.
void prune_at_random(Graph& graph, double zeros, int64_t together) {
  uint64_t layer = 0;
  for (Value& value : graph.values) {
    if (!value.constant || value.constant->shape().size() < 2) continue;
    Random random = Random::stream(2, {layer++});
    const Shape shape = value.constant->shape();
    if (shape[1] == 3) continue;
    const auto weights = value.constant->mutate<float>();
    const int64_t columns = static_cast<int64_t>(weights.size()) / shape[0];
    for (int64_t row = 0; row < shape[0]; row += together) {
      for (int64_t i = 0; i < columns; ++i) {
        if (random.uniform() >= zeros) continue;
        for (int64_t r = row; r < std::min(shape[0], row + together); ++r) {
          weights[r * columns + i] = 0;
        }
      }
    }
  }
}

Target target_of(int threads, Target::Sparsity sparsity) {
  Target target;
  target.threads = threads;
  target.sparsity = sparsity;
  return target;
}

void measure_convolutions(const SparseBenchOptions& options) {
  std::printf("%-26s %6s %5s %9s %9s %7s %9s  %s\n", "layer", "zeros", "block", "dense ms",
              "sparse ms", "/dense", "GF/s", "kernel");
  for (const LayerCase& l : {LayerCase{256, 256, 28, 1},
                             {256, 256, 14, 1},
                             {64, 64, 56, 3},
                             {128, 128, 28, 3},
                             {256, 256, 14, 3},
                             {512, 512, 7, 3}}) {
    for (const double zeros : {0.5, 0.8, 0.9, 0.95}) {
      for (const int64_t together : {1, 2, 4}) {
        Builder net("layer", 1, {.conv = he_fan_in, .linear = he_fan_in});
        const ValueId x = net.input({l.channels, l.size, l.size});
        Graph graph = net.finish(net.relu(
            "relu", net.conv("conv", x, l.filters, {.kernel = l.kernel, .padding = l.kernel / 2})));
        prune_at_random(graph, zeros, together);
        std::vector<Executable> ours;
        for (const auto sparsity : {Target::Sparsity::dense, Target::Sparsity::forced}) {
          Target target = target_of(options.threads, sparsity);
          target.profile = Target::Profile::on;
          ours.push_back(compile(graph, {}, target));
        }
        std::vector<double> times[2];
        LayerTime last;
        const auto inputs = random_inputs(ours[0], 1);
        for (int round = 0; round < 9; ++round) {
          for (int i = 0; i < 2; ++i) {
            ours[i].run(inputs);
            for (const LayerTime& layer : ours[i].layer_times()) {
              if (layer.kind == "Reorder" || layer.kind == "Copy") continue;
              times[i].push_back(layer.ms);
              last = layer;
            }
          }
        }
        std::printf("%3lldx%lld %4lld->%-4lld @%-7lld %5.0f%% %5lld %9.3f %9.3f %6.2fx %9.1f  %s\n",
                    static_cast<long long>(l.kernel), static_cast<long long>(l.kernel),
                    static_cast<long long>(l.channels), static_cast<long long>(l.filters),
                    static_cast<long long>(l.size), 100 * zeros, static_cast<long long>(together),
                    median(times[0]), median(times[1]), median(times[0]) / median(times[1]),
                    2e-6 * last.macs / median(times[1]), last.kernel.c_str());
      }
    }
  }
}

void measure_products(const SparseBenchOptions& options, std::optional<OnnxRuntime>& peer) {
  const TempDir folder;
  std::printf("%-26s %6s %5s %9s %9s %9s %7s %8s  %s\n", "product, batch 1, cold", "zeros", "block",
              "onnxrt ms", "dense ms", "sparse ms", "/dense", "/onnxrt", "kernel");
  struct Sizes {
    int64_t inputs, outputs;
  };
  for (const Sizes& sizes : {Sizes{4096, 4096}, {25088, 4096}, {2048, 1000}}) {
    for (const double zeros : {0.8, 0.9, 0.95}) {
      for (const int64_t together : {1, 4}) {
        Graph graph = product(sizes.inputs, sizes.outputs);
        prune_at_random(graph, zeros, together);
        write_onnx(graph, folder / "net.onnx");
        auto both = dense_and(Target::Sparsity::forced, graph, options.threads);
        const auto inputs = named(both[0], random_inputs(both[0], 1));
        const double theirs =
            peer ? peer->median_ms(folder / "net.onnx", inputs, 9, options.threads) : NAN;
        const std::vector<double> ours = cold_ms(both, 4 * options.rounds + 1);
        std::printf("%-26s %5.0f%% %5lld %9.3f %9.3f %9.3f %6.2fx %7.2fx  %s\n",
                    (std::to_string(sizes.inputs) + "->" + std::to_string(sizes.outputs)).c_str(),
                    100 * zeros, static_cast<long long>(together), theirs, ours[0], ours[1],
                    ours[0] / ours[1], theirs / ours[1], kernel_of(both[1]).c_str());
        std::fflush(stdout);
      }
    }
  }
}

void walk_sparsities(const SparseBenchOptions& options) {
  std::printf("%-26s %6s %5s %9s %8s  %s\n", "layer", "zeros", "block", "dense ms", "chosen/",
              "chosen");
  for (const LayerCase& l :
       {LayerCase{256, 256, 28, 1}, {64, 64, 56, 3}, {512, 512, 7, 3}, {24, 144, 56, 1}}) {
    for (const int64_t together : {1, 4}) walk(name_of(l), convolution(l), together, options);
  }
  walk("2048->1000", product(2048, 1000), 1, options);
}

}  // namespace coppice
