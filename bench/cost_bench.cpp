// How many candidate plans are judged a second, for their MACs, parameters and units, on one core.
//
//   cost_bench [MODEL.onnx ...]
//
// Without models: ResNet-56 and ResNet-50. `by units` is a removal, every unit leaving by chance,
// `by widths` how many units of each group stay; `build` is the cost model, `traced` all of it,
// shapes and groups included.

#include <cstdio>
#include <string>
#include <vector>

#include "core/random.h"
#include "graph/passes/loosen.h"
#include "groups/traced.h"
#include "measure.h"
#include "onnx/onnx.h"
#include "zoo/builder.h"
#include "zoo/zoo.h"

namespace {

using namespace coppice;

constexpr int kPlans = 200;

// He et al., CVPR 2016, arXiv:1512.03385, table 1: bottlenecks, 224x224, 25.6 million parameters.
Graph resnet50() {
  Builder net("resnet50", 1, {.conv = he_fan_in, .linear = he_fan_in});
  const auto layer = [&](const std::string& name, ValueId x, int64_t filters, ConvOptions options) {
    return net.batch_norm(name + ".bn", net.conv(name, x, filters, options));
  };
  ValueId x = layer("stem", net.input({3, 224, 224}), 64, {.kernel = 7, .stride = 2, .padding = 3});
  x = net.max_pool("pool", net.relu("stem.relu", x), 2);
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < blocks[stage]; ++block) {
      const std::string path = std::to_string(stage) + "." + std::to_string(block);
      const int64_t width = 64 << stage, stride = stage > 0 && block == 0 ? 2 : 1;
      ValueId y = net.relu(path + ".r1", layer(path + ".c1", x, width, {}));
      y = layer(path + ".c2", y, width, {.kernel = 3, .stride = stride, .padding = 1});
      y = layer(path + ".c3", net.relu(path + ".r2", y), 4 * width, {});
      if (block == 0) x = layer(path + ".down", x, 4 * width, {.stride = stride});
      x = net.relu(path + ".r3", net.add(path + ".add", y, x));
    }
  }
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  return net.finish(net.linear("linear", x, 1000));
}

std::vector<Removal> random_plans(const Groups& groups) {
  Random random(1);
  std::vector<Removal> plans(kPlans, Removal(groups.unit_count, 0));
  for (Removal& plan : plans) {
    for (char& leaves : plan) leaves = random.uniform() < 0.5;
  }
  return plans;
}

// Plans a second: the median of some rounds over all of them.
template <typename Judge>
double speed(Judge judge) {
  std::vector<double> ms;
  for (int round = 0; round < 25; ++round) {
    Stopwatch watch;
    for (int plan = 0; plan < kPlans; ++plan) judge(plan);
    ms.push_back(watch.lap_ms());
  }
  return 1000.0 * kPlans / median(ms);
}

void measure(const std::string& name, Graph graph) {
  loosen(graph);
  Stopwatch watch;
  const Traced traced(graph);
  const double traced_ms = watch.lap_ms();
  const Inferred at_one = infer(graph);
  watch.lap_ms();
  const CostModel costs(graph, traced.groups(), at_one);
  const double build_ms = watch.lap_ms();
  const std::vector<Removal> plans = random_plans(traced.groups());
  std::vector<std::vector<int64_t>> widths;
  for (const Removal& plan : plans) widths.push_back(costs.judge(plan).units);
  int64_t sum = 0;  // so that nothing is left out
  const double by_units = speed([&](int plan) { sum += costs.judge(plans[plan]).costs.macs; });
  const double by_widths = speed([&](int plan) {
    const auto after = costs.after_widths(widths[plan]);
    if (after) sum += after->macs;
  });
  std::printf(
      "%-24s %7d units  traced %6.1f ms  build %5.1f ms  by units %9.0f  by widths %9.0f /s%s\n",
      name.c_str(), traced.groups().unit_count, traced_ms, build_ms, by_units, by_widths,
      sum == 0 ? " (no MACs)" : "");
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    measure(path.substr(path.find_last_of('/') + 1), read_onnx(path));
  }
  if (argc > 1) return 0;
  measure("resnet56", build_zoo_model("resnet56", 1));
  measure("resnet50", resnet50());
  return 0;
}
