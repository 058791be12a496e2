// See candidates.h. A layer is timed alone: dense as a graph of this one node, sparse on planes.

#include "runtime/sparse/candidates.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "runtime/compile/plan.h"
#include "runtime/executable.h"

namespace coppice::runtime {
namespace {

constexpr int kRuns = 3;  // the best of them counts

template <class F>
double best_ms(F run) {
  run();
  double best = std::numeric_limits<double>::max();
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

std::string key_of(const Graph& graph, const Inferred& inferred, const Candidate& candidate) {
  const Tensor& weight = weight_of(graph, *candidate.layer);
  const SparseWindow& w = candidate.sparse.window;
  // To a hundredth of all weights: random masks of one share take as long.
  const int64_t hundredths = 100 * candidate.nonzeros / std::max<int64_t>(1, weight.size());
  std::string key = to_string(inferred.shape(candidate.sparse.x)) + "*" + to_string(weight.shape());
  for (int axis = 0; axis < 2; ++axis) {
    key += "/" + std::to_string(w.strides[axis]) + "," + std::to_string(w.dilations[axis]) + "," +
           std::to_string(w.begin[axis]);
  }
  return key + ":" + std::to_string(hundredths) + ":" + std::to_string(candidate.rows_together) +
         (candidate.sparse.followers.start == kNoValue ? "" : "+");
}

// The layer's first node as a graph.
Graph alone(const Graph& graph, const Inferred& inferred, const Layer& layer) {
  Graph one;
  one.opset = graph.opset;
  Node node = graph.nodes[layer.nodes[0]];
  const ValueId x = add_value(one, "x", DType::f32);
  Dims dims;
  for (const int64_t size : inferred.shape(node.inputs[0])) dims.push_back({size, ""});
  one.value(x).declared = dims;
  one.inputs.push_back(x);
  node.inputs = {x, add_constant(one, "weight", weight_of(graph, layer))};
  const ValueId y = add_value(one, "y", DType::f32);
  node.outputs = {y};
  one.nodes.push_back(std::move(node));
  one.outputs.push_back(y);
  return one;
}

void measure_dense(const Graph& graph, const Inferred& inferred, const Layer& layer, int threads,
                   LayerCost& cost) {
  Target target;
  target.threads = threads;
  target.profile = Target::Profile::on;
  Executable executable = compile(alone(graph, inferred, layer), {}, target);
  const std::vector<Tensor> inputs{Tensor::zeros(DType::f32, executable.input_shape(0))};
  std::vector<Tensor> outputs = executable.allocate_outputs();
  std::vector<double> best;
  for (int run = 0; run <= kRuns; ++run) {
    executable.run(inputs, outputs);
    const std::vector<LayerTime>& times = executable.layer_times();
    best.resize(times.size(), std::numeric_limits<double>::max());
    for (size_t i = 0; i < times.size(); ++i) best[i] = std::min(best[i], times[i].ms);
  }
  bool before = true;
  for (size_t i = 0; i < best.size(); ++i) {
    if (executable.layer_times()[i].kind != "Reorder") {
      cost.dense_ms += best[i];
      before = false;
    } else {
      (before ? cost.bring_x_ms : cost.bring_y_ms) += best[i];
    }
  }
}

void measure_sparse(const Graph& graph, const Candidate& candidate, const Planes& x,
                    const Planes& y, int threads, LayerCost& cost) {
  const auto from = allocate_aligned(x.floats() * sizeof(float)),
             to = allocate_aligned(y.floats() * sizeof(float)),
             summed = allocate_aligned(y.floats() * sizeof(float));
  const auto floats = [](const auto& memory) { return reinterpret_cast<float*>(memory.get()); };
  std::fill_n(floats(from), x.floats(), 0.0f);
  std::fill_n(floats(summed), y.floats(), 0.0f);
  const std::vector<float> bias(y.channels, 0.0f);
  cost.sparse_ms = std::numeric_limits<double>::max();
  for (const SparseVariant& variant : variants_of(candidate)) {
    const SparseConv conv(weight_of(graph, *candidate.layer), candidate.sparse.window, x, y,
                          variant);
    const auto scratch = allocate_aligned(conv.scratch_bytes());
    const double ms = best_ms([&] {
      conv.run({.x = floats(from),
                .y = floats(to),
                .scratch = floats(scratch),
                .bias = bias.data(),
                .start = candidate.sparse.followers.start == kNoValue ? nullptr : floats(summed),
                .finish = {},
                .threads = threads});
    });
    if (ms >= cost.sparse_ms) continue;
    cost.sparse_ms = ms;
    cost.variant = variant;
  }
}

// At least so many of its weights are zero that it is worth a look.
bool sparse_enough(int64_t nonzeros, int64_t weights) {
  return static_cast<double>(nonzeros) <= (1 - kFewestZeros) * static_cast<double>(weights);
}

void add_product(const Graph& graph, const Inferred& inferred, const Layer& layer,
                 SparseCandidates& candidates) {
  const auto product = product_layer_of(graph, inferred, layer);
  if (!product) return;
  const int64_t weights = product->weight.outputs * product->weight.inputs;
  const int64_t nonzeros = count_nonzeros(product->weight);
  if (!sparse_enough(nonzeros, weights)) return;
  candidates.products.push_back({&layer, *product, nonzeros,
                                 std::to_string(product->rows) + "*" +
                                     std::to_string(product->weight.inputs) + "*" +
                                     std::to_string(product->weight.outputs) + ":" +
                                     std::to_string(100 * nonzeros / weights)});
}

}  // namespace

SparseCandidates candidates_of(const Graph& graph, const Inferred& inferred,
                               const std::vector<Layer>& layers) {
  SparseCandidates candidates;
  for (const Layer& layer : layers) {
    add_product(graph, inferred, layer, candidates);
    const auto sparse = sparse_layer_of(graph, inferred, layer);
    if (!sparse) continue;
    const Shape &x = inferred.shape(sparse->x), &y = inferred.shape(sparse->y);
    const Tensor& weight = weight_of(graph, layer);
    const int64_t nonzeros = count_nonzeros(weight);
    // One pixel leaves all lanes but one of a vector idle.
    if (!sparse_enough(nonzeros, weight.size()) || y[2] * y[3] < 4) continue;
    if (!require_planes(candidates.sizes, x, y, sparse->window)) continue;
    candidates.layers.push_back(
        {&layer, *sparse, nonzeros, rows_together(weight, sparse->window.groups), {}});
    candidates.layers.back().key = key_of(graph, inferred, candidates.layers.back());
  }
  return candidates;
}

// Where taps don't begin at a line, halves of a vector cross fewer of them. Blocks read each pixel
// for several rows and so needn't have it in the first cache; rows that go one by one gain by it,
// unless they have so few entries that their sums would be stored and read too often.
std::vector<SparseVariant> variants_of(const Candidate& candidate) {
  constexpr int64_t kFirstCache = 28 << 10, kSecondCache = 512 << 10;
  const bool blocks = candidate.rows_together > 1, crosses = candidate.sparse.window.kernel[1] > 1;
  const Isa best = available_isas().front();
  if (best != Isa::avx512) {
    return {{best, 12, blocks ? kSecondCache : kFirstCache}, {best, 12, kSecondCache}};
  }
  if (blocks) {
    return {{Isa::avx512, 10, kSecondCache},
            {Isa::avx512, 4, kSecondCache},
            {Isa::avx512_half, 5, kFirstCache}};
  }
  return {{Isa::avx512, 14, kFirstCache},
          {Isa::avx512_half, crosses ? 8 : 16, kFirstCache},
          {Isa::avx512, 16, crosses ? kFirstCache / 2 : kSecondCache}};
}

LayerCost measure_layer(const Graph& graph, const Inferred& inferred, const Candidate& candidate,
                        const PlaneSizes& sizes, int threads) {
  LayerCost cost;
  measure_dense(graph, inferred, *candidate.layer, threads, cost);
  measure_sparse(graph, candidate, sizes.of(inferred.shape(candidate.sparse.x)),
                 sizes.of(inferred.shape(candidate.sparse.y)), threads, cost);
  return cost;
}

LayerCost measure_product(const Graph& graph, const Inferred& inferred,
                          const ProductCandidate& candidate, int threads) {
  LayerCost cost;
  measure_dense(graph, inferred, *candidate.layer, threads, cost);
  const ProductLayer& product = candidate.product;
  cost.variant.isa = available_isas().front();
  const SparseProduct sparse(product.weight, cost.variant.isa);
  const auto floats = [](int64_t count) { return std::vector<float>(count, 0.0f); };
  const std::vector<float> x = floats(product.rows * product.weight.inputs),
                           bias = floats(product.weight.outputs);
  std::vector<float> y = floats(product.rows * product.weight.outputs),
                     scratch = floats(sparse.scratch_floats(product.rows));
  cost.sparse_ms = best_ms([&] {
    sparse.run({.x = x.data(),
                .y = y.data(),
                .scratch = scratch.data(),
                .rows = product.rows,
                .bias = bias.data(),
                .start = nullptr,
                .finish = {},
                .threads = threads});
  });
  return cost;
}

}  // namespace coppice::runtime
