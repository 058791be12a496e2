// Pruned nets beside ONNX Runtime's dense run and our own, in one run:
//
//   sparse_bench [--rounds N] [--threads N] [nets|layers|product|MODEL.onnx...]
//
// nets: ResNet-50 at 224 with *random* weights and masks (they claim speed, not accuracy), every
// convolution but the stem and the classifier sparse alike. layers: single convolutions beside
// oneDNN's direct one. MODEL: a really pruned net, as it is. Rounds alternate between the engines,
// so that a machine that is busy for a while slows all; each figure is the median over the rounds.

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "runtime/latency.h"
#include "support/onnxruntime.h"
#include "support/temp_dir.h"
#include "zoo/builder.h"

namespace coppice {
namespace {

struct Options {
  int rounds = 5, threads = 1;
  bool profile = false;
  std::vector<std::string> what;
};

ValueId bottleneck(Builder& net, const std::string& name, ValueId x, int64_t width,
                   int64_t stride) {
  ValueId y = net.conv(name + ".conv1", x, width, {});
  y = net.relu(name + ".relu1", net.batch_norm(name + ".bn1", y));
  y = net.conv(name + ".conv2", y, width, {.kernel = 3, .stride = stride, .padding = 1});
  y = net.relu(name + ".relu2", net.batch_norm(name + ".bn2", y));
  y = net.batch_norm(name + ".bn3", net.conv(name + ".conv3", y, 4 * width, {}));
  if (net.channels(x) != 4 * width) {
    x = net.conv(name + ".downsample", x, 4 * width, {.stride = stride});
    x = net.batch_norm(name + ".downsample.bn", x);
  }
  return net.relu(name + ".relu3", net.add(name + ".add", y, x));
}

// He et al. 2015, as torchvision has it: the stride is in the 3x3 convolution.
Graph resnet50() {
  Builder net("resnet50", 1, {.conv = he_fan_in, .linear = he_fan_in});
  ValueId x =
      net.conv("conv1", net.input({3, 224, 224}), 64, {.kernel = 7, .stride = 2, .padding = 3});
  x = net.relu("relu1", net.batch_norm("bn1", x));
  x = net.node(
      "MaxPool", "maxpool", {x},
      {{"kernel_shape", Shape{3, 3}}, {"strides", Shape{2, 2}}, {"pads", Shape{1, 1, 1, 1}}});
  const int64_t blocks[] = {3, 4, 6, 3};
  for (int64_t stage = 0; stage < 4; ++stage) {
    for (int64_t block = 0; block < blocks[stage]; ++block) {
      const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
      x = bottleneck(net, path, x, 64 << stage, stage > 0 && block == 0 ? 2 : 1);
    }
  }
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  return net.finish(net.linear("fc", x, 1000));
}

// Zeros in blocks of `together` output channels; the stem, of three channels, stays dense.
void prune(Graph& graph, double zeros, int64_t together) {
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

void print_layers(const Graph& graph, const Options& options) {
  Target target = target_of(options.threads, Target::Sparsity::timed);
  target.profile = Target::Profile::on;
  Executable executable = compile(graph, {}, target);
  const auto inputs = random_inputs(executable, 1);
  for (int i = 0; i < 5; ++i) executable.run(inputs);
  for (const LayerTime& layer : executable.layer_times()) {
    std::printf("  %-28s %-32s %8.3f ms  %-28s %6.1f GF/s\n", layer.name.c_str(),
                layer.kind.c_str(), layer.ms, layer.kernel.c_str(), 2e-6 * layer.macs / layer.ms);
  }
}

void compare(const std::string& name, const std::filesystem::path& model, const Options& options,
             std::optional<OnnxRuntime>& peer) {
  const Graph graph = read_onnx(model);
  Stopwatch watch;
  std::vector<Executable> ours;
  ours.push_back(compile(graph, {}, target_of(options.threads, Target::Sparsity::dense)));
  watch.lap_ms();
  ours.push_back(compile(graph, {}, target_of(options.threads, Target::Sparsity::timed)));
  const double load_ms = watch.lap_ms();
  const std::vector<Tensor> tensors = random_inputs(ours[0], 1);
  std::vector<NamedTensor> inputs;
  for (size_t i = 0; i < tensors.size(); ++i) {
    inputs.push_back({ours[0].input_names()[i], tensors[i]});
  }
  std::vector<double> dense, sparse, theirs;
  for (int round = 0; round < options.rounds; ++round) {
    const auto times = measure_in_turns(ours, {.budget_seconds = 0.3, .max_runs = 15});
    dense.push_back(times[0].median_ms);
    sparse.push_back(times[1].median_ms);
    theirs.push_back(peer ? peer->median_ms(model, inputs, 9, options.threads) : NAN);
  }
  std::printf("%-36s %7d %9.2f %9.2f %9.2f %7.2fx %7.2fx %9.0f\n", name.c_str(), options.threads,
              median(theirs), median(dense), median(sparse), median(theirs) / median(sparse),
              median(dense) / median(sparse), load_ms);
  std::fflush(stdout);
  if (options.profile) print_layers(graph, options);
}

void head() {
  std::printf("%-36s %7s %9s %9s %9s %8s %8s %9s\n", "net", "threads", "onnxrt ms", "dense ms",
              "sparse ms", "/onnxrt", "/dense", "load ms");
}

void nets(const Options& options, std::optional<OnnxRuntime>& peer) {
  struct Pruned {
    const char* name;
    double zeros;
    int64_t together;
  };
  const TempDir folder;
  head();
  for (const Pruned& pruned : {Pruned{"ResNet-50, 90 % unstructured", 0.9, 1},
                               {"ResNet-50, 90 % 4x1", 0.9, 4},
                               {"ResNet-50, 95 % unstructured", 0.95, 1},
                               {"ResNet-50, 95 % 4x1", 0.95, 4}}) {
    Graph graph = resnet50();
    prune(graph, pruned.zeros, pruned.together);
    write_onnx(graph, folder / "net.onnx");
    compare(pruned.name, folder / "net.onnx", options, peer);
  }
}

struct LayerCase {
  int64_t channels, filters, size, kernel;
};

void layers(const Options& options) {
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
        prune(graph, zeros, together);
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

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc) {
      options.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--threads") && i + 1 < argc) {
      options.threads = std::max(1, std::atoi(argv[++i]));
    } else if (!std::strcmp(argv[i], "--profile")) {
      options.profile = true;
    } else {
      options.what.push_back(argv[i]);
    }
  }
  if (options.what.empty()) options.what = {"nets", "layers"};
  return options;
}

int run(const Options& options) {
  auto peer = OnnxRuntime::start();
  if (!peer) std::fprintf(stderr, "%s\n", kNoOnnxRuntime);
  for (const std::string& what : options.what) {
    if (what == "nets") {
      nets(options, peer);
    } else if (what == "layers") {
      layers(options);
    } else {
      head();
      compare(std::filesystem::path(what).filename().string(), what, options, peer);
    }
  }
  return 0;
}

}  // namespace
}  // namespace coppice

int main(int argc, char** argv) {
  return coppice::run_bench(argc, argv, coppice::parse, coppice::run);
}
