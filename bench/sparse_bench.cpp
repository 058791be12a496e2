// Pruned nets beside ONNX Runtime's dense run and our own, in one run:
//
//   sparse_bench [--rounds N] [--threads N] [nets|layers|products|walk|MODEL.onnx...]
//
// nets: ResNet-50 at 224 with *random* weights and masks (they claim speed, not accuracy), every
// convolution but the stem and the classifier sparse alike. layers: single convolutions beside
// oneDNN's direct one. products: of few rows. walk: single layers at every sparsity, what is chosen
// beside dense. MODEL: a really pruned net, as it is. Rounds alternate between the engines,
// so that a machine that is busy for a while slows all; each figure is the median over the rounds.

#include "sparse_bench.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "measure.h"
#include "onnx/onnx.h"
#include "runtime/latency.h"
#include "support/temp_dir.h"
#include "zoo/builder.h"

namespace coppice {
namespace {

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

void print_layers(const Graph& graph, const SparseBenchOptions& options) {
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

void compare(const std::string& name, const std::filesystem::path& model,
             const SparseBenchOptions& options, std::optional<OnnxRuntime>& peer) {
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

void nets(const SparseBenchOptions& options, std::optional<OnnxRuntime>& peer) {
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
    prune_at_random(graph, pruned.zeros, pruned.together);
    write_onnx(graph, folder / "net.onnx");
    compare(pruned.name, folder / "net.onnx", options, peer);
  }
}

SparseBenchOptions parse(int argc, char** argv) {
  SparseBenchOptions options;
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

int run(const SparseBenchOptions& options) {
  auto peer = OnnxRuntime::start();
  if (!peer) std::fprintf(stderr, "%s\n", kNoOnnxRuntime);
  for (const std::string& what : options.what) {
    if (what == "nets") {
      nets(options, peer);
    } else if (what == "layers") {
      measure_convolutions(options);
    } else if (what == "products") {
      measure_products(options, peer);
    } else if (what == "walk") {
      walk_sparsities(options);
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
