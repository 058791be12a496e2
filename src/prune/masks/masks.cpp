// See masks.h.
#include "prune/masks/masks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <regex>
#include <set>
#include <span>
#include <unordered_map>

#include "core/error.h"
#include "graph/views/constants_behind.h"
#include "graph/views/linear_layer.h"
#include "prune/masks/rank.h"
#include "prune/regex_of.h"

namespace coppice {
namespace {

std::vector<ValueId> each_once(const std::vector<WeightReader>& readers) {
  std::vector<ValueId> weights;
  std::set<ValueId> seen;
  for (const WeightReader& reader : readers) {
    if (seen.insert(reader.weight).second) weights.push_back(reader.weight);
  }
  return weights;
}

std::set<ValueId> matching_weights(const Graph& graph, const std::vector<WeightReader>& readers,
                                   const std::string& pattern, const std::string& option) {
  const std::regex regex = regex_of(pattern, option);
  std::set<ValueId> matching;
  for (const WeightReader& reader : readers) {
    if (std::regex_search(graph.value(reader.weight).name, regex) ||
        std::regex_search(graph.nodes[reader.node].name, regex)) {
      matching.insert(reader.weight);
    }
  }
  if (matching.empty()) {
    fail_usage("'" + pattern + "' matches no layer with weights",
               {subject_hint(option), task_hint("inspect", "lists the names of layers")});
  }
  return matching;
}

using Layer = RankedLayer;

int64_t zeros_asked(std::span<const Layer> layers, double sparsity) {
  int64_t all = 0;
  for (const Layer& layer : layers) all += layer.all();
  return zeros_at(sparsity, all, std::ssize(layers));
}

// That may be masked: the last in rank stays even where it is zero.
int64_t zeros_there(std::span<const Layer> layers) {
  int64_t zeros = 0;
  for (const Layer& layer : layers) {
    layer.for_each([&](size_t i, uint32_t bits) { zeros += bits == 0 ? layer.size_of(i) : 0; });
  }
  return zeros;
}

void mask_smallest(std::span<const Layer> layers, int64_t zeros, Masks& masks) {
  RankCut cut = find_cut(layers, std::max(zeros, zeros_there(layers)));
  for (const Layer& layer : layers) {
    masks.emplace(layer.name, mask_below(layer, cut));
  }
}

std::vector<ValueId> ids_to_mask(const Graph& graph, const std::vector<std::string>& keep) {
  const std::vector<WeightReader> readers = weight_readers(graph);
  std::set<ValueId> kept;
  for (const std::string& pattern : keep) {
    kept.merge(matching_weights(graph, readers, pattern, "keep"));
  }
  std::vector<ValueId> ids = each_once(readers);
  std::erase_if(ids, [&](ValueId id) { return kept.contains(id); });
  if (ids.empty()) {
    if (kept.empty()) {
      fail_target("nothing to mask: no Conv, ConvTranspose, Gemm or MatMul with float32 weights");
    }
    fail_target("nothing to mask: all " + std::to_string(kept.size()) +
                    " layers with weights are left alone",
                {option_hint("keep", "", "names too many")});
  }
  return ids;
}

std::vector<Layer> layers_to_mask(const Graph& graph, const MagnitudeOptions& options) {
  std::vector<Layer> layers;
  for (const ValueId id : ids_to_mask(graph, options.keep)) {
    layers.push_back(ranked(graph.value(id)));
  }
  return layers;
}

// The same, ranked as the options say.
std::vector<Layer> layers_in_blocks(const Graph& graph, const MagnitudeOptions& options) {
  if (options.together == 1) return layers_to_mask(graph, options);
  const std::vector<ValueId> ids = ids_to_mask(graph, options.keep);
  const std::vector<FilterBlocks> blocks = blocks_of(graph, ids, options.together, options.filters);
  std::vector<Layer> layers;
  for (size_t i = 0; i < ids.size(); ++i) {
    layers.push_back(ranked_in_blocks(graph.value(ids[i]), blocks[i]));
  }
  return layers;
}

double share_of(const Layer& layer, const MagnitudeOptions& options) {
  const auto own = options.layers.find(layer.name);
  return own == options.layers.end() ? options.sparsity : own->second;
}

}  // namespace

std::vector<WeightReader> weight_readers(const Graph& graph) {
  const std::vector<ValueId> behind = constants_behind(graph);
  std::vector<WeightReader> readers;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    for (int i = 0; i < std::ssize(node.inputs); ++i) {
      if (node.inputs[i] == kNoValue || !linear_layer_of(node, i)) continue;
      const ValueId id = behind[node.inputs[i]];
      if (id == kNoValue) continue;
      const Tensor& tensor = *graph.value(id).constant;
      if (tensor.dtype() == DType::f32 && tensor.rank() >= 2 && tensor.size() > 0) {
        readers.push_back({static_cast<int32_t>(n), id});
      }
    }
  }
  return readers;
}

std::vector<ValueId> maskable_weights(const Graph& graph) {
  return each_once(weight_readers(graph));
}

std::vector<std::string> weights_to_mask(const Graph& graph, const std::vector<std::string>& keep) {
  std::vector<std::string> names;
  for (const ValueId id : ids_to_mask(graph, keep)) names.push_back(graph.value(id).name);
  return names;
}

int64_t zeros_at(double sparsity, int64_t all, int64_t layers) {
  const auto zeros = static_cast<int64_t>(std::floor(static_cast<double>(all) * sparsity + 1e-9));
  const int64_t most = all - layers;
  if (zeros > most) {
    fail_target("a sparsity of " + std::to_string(sparsity) + " makes " + std::to_string(zeros) +
                " of " + std::to_string(all) + " weights zero, expected at most " +
                std::to_string(most) + " so that every layer keeps one; ask for less");
  }
  return zeros;
}

WeightCount count_weights(const Graph& graph) {
  WeightCount count;
  for (const ValueId id : maskable_weights(graph)) {
    const Tensor& tensor = *graph.value(id).constant;
    count.all += tensor.size();
    count.nonzero += std::ranges::count_if(tensor.as<float>(), [](float w) { return w != 0; });
  }
  return count;
}

Masks magnitude_masks(const Graph& graph, const MagnitudeOptions& options) {
  COPPICE_CHECK(options.sparsity >= 0 && options.sparsity < 1, "sparsity outside [0, 1)");
  std::vector<Layer> layers = layers_in_blocks(graph, options);
  Masks masks;
  const auto decided = std::stable_partition(layers.begin(), layers.end(), [&](const Layer& layer) {
    return !options.decided.contains(layer.name);
  });
  const std::span<const Layer> open(layers.begin(), decided), done(decided, layers.end());
  mask_smallest(done, 0, masks);
  if (options.scope == MagnitudeOptions::Scope::global) {
    const int64_t asked = zeros_asked(layers, options.sparsity);
    mask_smallest(open, std::max<int64_t>(0, asked - zeros_there(done)), masks);
  } else {
    for (const Layer& layer : open) {
      mask_smallest({&layer, 1}, zeros_asked({&layer, 1}, share_of(layer, options)), masks);
    }
  }
  return masks;
}

void require_denser_than_asked(const Graph& graph, const MagnitudeOptions& options) {
  int64_t all = 0, there = 0;
  double asked = 0;
  for (const Layer& layer : layers_to_mask(graph, options)) {
    const auto size = static_cast<double>(layer.weight.size());
    all += layer.weight.size();
    // One more for each layer: rounding must not forbid the same sparsity twice.
    asked += size * share_of(layer, options) + 1;
    there += std::ranges::count(layer.weight.as<float>(), 0.0f);
  }
  if (static_cast<double>(there) <= asked) return;
  const auto share = [&](double part) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.3g", part / static_cast<double>(all));
    return std::string(text.data());
  };
  const std::string found = share(static_cast<double>(there));
  fail_target("the model's weights are zero to a share of " + found + " already, a sparsity of " +
                  share(asked) + " would give some of them back; ask for more than " + found,
              {option_hint("keep", "", "can leave alone the layers that are sparse enough")});
}

Masks masks_of_zeros(const Graph& graph) {
  Masks masks;
  for (const ValueId id : maskable_weights(graph)) {
    const Tensor& weight = *graph.value(id).constant;
    Tensor mask = Tensor::zeros(DType::f32, weight.shape());
    std::ranges::transform(weight.as<float>(), mask.mutate<float>().begin(),
                           [](float w) { return w != 0 ? 1.0f : 0.0f; });
    masks.emplace(graph.value(id).name, std::move(mask));
  }
  return masks;
}

double sparsity_of_quality(const Tensor& weight, double quality) {
  double sum = 0, squares = 0;
  int64_t nonzero = 0;
  for (const float w : weight.as<float>()) {
    sum += w;
    squares += static_cast<double>(w) * w;
    nonzero += w != 0;
  }
  if (nonzero == 0) return 0;
  const auto count = static_cast<double>(nonzero);
  const double mean = sum / count,
               threshold = quality * std::sqrt(std::max(0.0, squares / count - mean * mean));
  const auto below =
      std::ranges::count_if(weight.as<float>(), [&](float w) { return std::fabs(w) < threshold; });
  return static_cast<double>(below) / static_cast<double>(weight.size());
}

std::vector<std::string> weights_matching(const Graph& graph, const std::string& pattern,
                                          const std::string& option) {
  std::vector<std::string> names;
  for (const ValueId id : matching_weights(graph, weight_readers(graph), pattern, option)) {
    names.push_back(graph.value(id).name);
  }
  return names;
}

void apply_masks(Graph& graph, const Masks& masks) {
  std::unordered_map<std::string, ValueId> constants;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (graph.values[i].constant) constants.emplace(graph.values[i].name, static_cast<ValueId>(i));
  }
  for (const auto& [name, mask] : masks) {
    const auto found = constants.find(name);
    if (found == constants.end()) {
      fail_input("mask of tensor '" + name +
                 "': the model has no such tensor; is this another model's plan?");
    }
    Tensor& weight = *graph.value(found->second).constant;
    if (weight.dtype() != DType::f32 || weight.shape() != mask.shape()) {
      fail_input("mask of tensor '" + name + "': the mask is for float32 of shape " +
                 to_string(mask.shape()) + ", the model's tensor is " + name_of(weight.dtype()) +
                 " of shape " + to_string(weight.shape()) + "; is this another model's plan?");
    }
    const std::span<const float> stays = mask.as<float>();
    const std::span<float> weights = weight.mutate<float>();
    for (size_t i = 0; i < weights.size(); ++i) {
      if (stays[i] == 0) weights[i] = 0;
    }
  }
}

}  // namespace coppice
