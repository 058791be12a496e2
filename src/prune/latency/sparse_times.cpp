// See sparse_times.h.
#include "prune/latency/sparse_times.h"

#include <algorithm>
#include <cmath>

#include "core/attempt.h"
#include "core/error.h"
#include "core/words/percent.h"
#include "prune/latency/timed_net.h"

namespace coppice {
namespace {

constexpr double kShares[] = {0.5, 0.7, 0.8, 0.9, 0.95, 0.98};  // of zeros, beside none
constexpr int kRounds = 15;
constexpr int kSteps = 100;  // shares that are tried of a layer, from none to the last measured
constexpr int kHalvings = 60;

struct Measured {
  double zeros = 0;
  TimedNet net;
};

Graph with_zeros(const Graph& graph, MagnitudeOptions pruning, double zeros) {
  pruning.sparsity = zeros;
  pruning.scope = MagnitudeOptions::Scope::layer;
  pruning.layers.clear();
  pruning.filters.clear();
  Graph masked = graph;
  apply_masks(masked, magnitude_masks(graph, pruning));
  return masked;
}

// By layer of the runtime, the weight that it multiplies with and that may be masked.
std::map<std::string, std::string> weights_of_layers(const Graph& graph,
                                                     const MagnitudeOptions& pruning) {
  const std::vector<std::string> may = weights_to_mask(graph, pruning.keep);
  std::map<std::string, std::string> weights;
  for (const WeightReader& reader : weight_readers(graph)) {
    const std::string& name = graph.value(reader.weight).name;
    if (std::ranges::count(may, name) == 0) continue;
    weights.emplace(label_of(graph, graph.nodes[reader.node]), name);
  }
  return weights;
}

void make_sinking(std::vector<SparsePoint>& points) {
  for (size_t i = 1; i < points.size(); ++i) {
    points[i].ms = std::min(points[i].ms, points[i - 1].ms);
  }
}

// What is lost with so many of its weights, as a share of the sum of their squares: by step.
std::vector<double> losses_of(const Tensor& weight, double most_zeros) {
  std::vector<double> squares;
  for (const float w : weight.as<float>()) squares.push_back(static_cast<double>(w) * w);
  std::ranges::sort(squares);
  double all = 0;
  for (const double square : squares) all += square;
  std::vector<double> losses;
  double lost = 0;
  size_t left = 0;
  for (int step = 0; step <= kSteps; ++step) {
    const auto leaving =
        static_cast<size_t>(most_zeros * step / kSteps * static_cast<double>(squares.size()));
    for (; left < leaving; ++left) lost += squares[left];
    losses.push_back(all > 0 ? lost / all : 0);
  }
  return losses;
}

// A layer as its price for time sees it.
struct Layer {
  std::string name;
  double most_zeros = 0;
  std::vector<double> ms = {}, losses = {};  // by step

  int step_at(double price) const {
    int best = 0;
    const auto cost = [&](int step) { return losses[step] + price * ms[step]; };
    for (int step = 1; step <= kSteps; ++step) {
      if (cost(step) < cost(best)) best = step;
    }
    return best;
  }
  double zeros_at(int step) const { return most_zeros * step / kSteps; }
};

std::vector<Layer> layers_of(const Graph& graph, const SparseTimes& times) {
  std::vector<Layer> layers;
  for (const ValueId id : maskable_weights(graph)) {
    const auto found = times.layers.find(graph.value(id).name);
    if (found == times.layers.end()) continue;
    Layer layer{.name = found->first, .most_zeros = found->second.back().zeros};
    layer.losses = losses_of(*graph.value(id).constant, layer.most_zeros);
    for (int step = 0; step <= kSteps; ++step) {
      layer.ms.push_back(time_at_zeros(found->second, layer.zeros_at(step)));
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace

SparseTimes measure_sparse(const Graph& graph, const MagnitudeOptions& pruning,
                           const MeasureSparse& options) {
  const std::map<std::string, std::string> weights = weights_of_layers(graph, pruning);
  const auto tick = [&](int round) {
    if (options.before_run) options.before_run(round, kRounds);
  };
  std::vector<Measured> nets;
  nets.push_back({0, {graph, {.threads = options.threads}, options.seed}});
  for (const double zeros : kShares) {
    tick(0);
    // Layers of few weights would lose the last.
    const auto masked =
        attempt(ErrorKind::target, [&] { return with_zeros(graph, pruning, zeros); });
    if (!masked) break;
    const Target target{.threads = options.threads, .sparsity = Target::Sparsity::timed};
    nets.push_back({zeros, {*masked, target, options.seed}});
  }
  for (Measured& measured : nets) measured.net.warm_up();
  for (int round = 0; round < kRounds; ++round) {
    for (Measured& measured : nets) {
      tick(round);
      measured.net.run();
    }
  }
  SparseTimes times;
  for (const Measured& measured : nets) {
    std::map<std::string, double> of_weights;  // a weight may serve several layers
    for (const auto& [layer, ms] : measured.net.median_ms()) {
      const auto weight = weights.find(layer);
      if (weight != weights.end()) of_weights[weight->second] += ms;
      if (measured.zeros > 0) continue;
      times.whole_ms += ms;
      if (weight == weights.end()) times.other_ms += ms;
    }
    for (const auto& [name, ms] : of_weights) times.layers[name].push_back({measured.zeros, ms});
  }
  for (auto& [name, points] : times.layers) make_sinking(points);
  return times;
}

double time_at_zeros(const std::vector<SparsePoint>& points, double zeros) {
  const auto above =
      std::ranges::find_if(points, [&](const SparsePoint& point) { return point.zeros >= zeros; });
  if (above == points.end()) return points.back().ms;
  if (above == points.begin() || above->zeros == zeros) return above->ms;
  const SparsePoint &high = *above, &low = *std::prev(above);
  return low.ms + (high.ms - low.ms) * (zeros - low.zeros) / (high.zeros - low.zeros);
}

std::map<std::string, double> sparsity_by_time(const Graph& graph, const SparseTimes& times,
                                               double ms) {
  const std::vector<Layer> layers = layers_of(graph, times);
  const auto foretold = [&](double price) {
    double sum = times.other_ms;
    for (const Layer& layer : layers) sum += layer.ms[layer.step_at(price)];
    return sum;
  };
  // A millisecond at most saves all, and any at least nothing.
  double low = 1e-9 / times.whole_ms, high = 1e9 / times.whole_ms;
  if (const double least = foretold(high); least > ms) {
    fail_target("can't keep only " + percent(ms / times.whole_ms) +
                    " of the latency: " + percent(least / times.whole_ms) +
                    " is the least that is foretold with nearly all weights zero",
                {task_hint("bench", "shows where the time goes, with its option for layers")});
  }
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = std::sqrt(low * high);
    (foretold(middle) <= ms ? high : low) = middle;
  }
  std::map<std::string, double> zeros;
  for (const Layer& layer : layers) zeros[layer.name] = layer.zeros_at(layer.step_at(high));
  return zeros;
}

double foretold_ms(const SparseTimes& times, const std::map<std::string, double>& zeros) {
  double sum = times.other_ms;
  for (const auto& [name, points] : times.layers) {
    const auto found = zeros.find(name);
    sum += time_at_zeros(points, found == zeros.end() ? 0 : found->second);
  }
  return sum;
}

}  // namespace coppice
