// See choices.h. From layer costs to a choice: beginning with every layer that gains alone, layers
// change sides one by one as long as that makes the sum of layers and copies smaller.

#include "runtime/sparse/choices.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/files.h"
#include "core/machine/cache_folder.h"
#include "core/machine/cpu_name.h"

namespace coppice::runtime {
namespace {

using Sides = std::vector<char>;  // by candidate: sparse

// What a choice costs, beyond all layers run dense.
class Costs {
 public:
  Costs(const Graph& graph, const std::vector<Layer>& layers,
        const std::vector<Candidate>& candidates, const std::vector<LayerCost>& costs)
      : costs_(costs), maker_(graph.values.size(), -1) {
    std::map<const Layer*, int> place;
    for (size_t i = 0; i < candidates.size(); ++i) {
      place[candidates[i].layer] = static_cast<int>(i);
      maker_[candidates[i].sparse.y] = static_cast<int>(i);
    }
    readers_.resize(graph.values.size());
    for (const Layer& layer : layers) {
      const auto found = place.find(&layer);
      for (const int32_t n : layer.nodes) {
        for (const ValueId id : graph.nodes[n].inputs) {
          if (id == kNoValue || graph.value(id).constant) continue;
          readers_[id].push_back(found == place.end() ? -1 : found->second);
        }
      }
    }
    for (const ValueId id : graph.outputs) readers_[id].push_back(-1);
    for (size_t id = 0; id < readers_.size(); ++id) {
      for (const int reader : readers_[id]) {
        if (reader >= 0) copy_ms_.try_emplace(static_cast<ValueId>(id), costs[reader].bring_x_ms);
      }
      if (maker_[id] >= 0) {
        double& ms = copy_ms_[static_cast<ValueId>(id)];
        ms = std::max(ms, costs[maker_[id]].bring_y_ms);
      }
    }
  }

  double total(const Sides& sides) const {
    double sum = 0;
    for (size_t i = 0; i < sides.size(); ++i) {
      sum += sides[i] ? costs_[i].sparse_ms : kDenseFavour * costs_[i].dense_ms;
    }
    for (const auto& [id, ms] : copy_ms_) {
      const bool planes = maker_[id] >= 0 && sides[maker_[id]];
      bool other = false;
      for (const int reader : readers_[id]) other |= (reader >= 0 && sides[reader]) != planes;
      if (other) sum += ms;
    }
    return sum;
  }

 private:
  const std::vector<LayerCost>& costs_;
  std::vector<int> maker_;                 // by value: the candidate that computes it
  std::vector<std::vector<int>> readers_;  // by value: candidates, and -1 for other layers
  std::map<ValueId, double> copy_ms_;
};

Sides cheapest(const Costs& costs, Sides sides) {
  double best = costs.total(sides);
  for (bool better = true; better;) {
    better = false;
    for (char& side : sides) {
      side = !side;
      const double now = costs.total(sides);
      if (now < best) {
        best = now;
        better = true;
      } else {
        side = !side;
      }
    }
  }
  return sides;
}

constexpr char kEnding[] = ".txt";

}  // namespace

SparseChoices choose_sparse(const Graph& graph, const Inferred& inferred,
                            const std::vector<Layer>& layers, const SparseCandidates& candidates,
                            int threads) {
  std::map<std::string, LayerCost> known;
  std::vector<LayerCost> costs;
  Sides sides;
  for (const Candidate& candidate : candidates.layers) {
    const auto [place, added] = known.try_emplace(candidate.key);
    if (added) {
      place->second = measure_layer(graph, inferred, candidate, candidates.sizes, threads);
    }
    costs.push_back(place->second);
    sides.push_back(costs.back().sparse_ms < kDenseFavour * costs.back().dense_ms);
  }
  sides = cheapest(Costs(graph, layers, candidates.layers, costs), std::move(sides));
  SparseChoices choices{candidates.sizes, {}};
  for (size_t i = 0; i < sides.size(); ++i) {
    if (sides[i]) choices.convs[candidates.layers[i].layer->nodes[0]] = costs[i].variant;
  }
  for (const ProductCandidate& candidate : candidates.products) {
    const auto [place, added] = known.try_emplace(candidate.key);
    if (added) place->second = measure_product(graph, inferred, candidate, threads);
    const LayerCost& cost = place->second;
    if (cost.sparse_ms < kDenseFavour * cost.dense_ms) {
      choices.products[candidate.layer->nodes[0]] = cost.variant.isa;
    }
  }
  return choices;
}

SparseChoices all_sparse(const SparseCandidates& candidates) {
  SparseChoices choices{candidates.sizes, {}};
  for (const Candidate& candidate : candidates.layers) {
    choices.convs[candidate.layer->nodes[0]] = variants_of(candidate).front();
  }
  for (const ProductCandidate& candidate : candidates.products) {
    choices.products[candidate.layer->nodes[0]] = available_isas().front();
  }
  return choices;
}

std::string choices_key(const SparseCandidates& candidates, int threads) {
  std::string key =
      "2 " + cpu_name() + " " + name_of(available_isas().front()) + " " + std::to_string(threads);
  for (const Candidate& candidate : candidates.layers) {
    key += " " + std::to_string(candidate.layer->nodes[0]) + "=" + candidate.key;
  }
  for (const ProductCandidate& candidate : candidates.products) {
    key += " " + std::to_string(candidate.layer->nodes[0]) + "=" + candidate.key;
  }
  return key;
}

// The key, then a line a sparse layer: its first node, instruction set, vectors, bytes of a chunk;
// of a product, which has neither, two zeros.
std::optional<SparseChoices> read_choices(const std::string& folder, const std::string& key,
                                          const SparseCandidates& candidates) {
  const std::filesystem::path file = cache_file(folder, key, kEnding);
  if (folder.empty() || !std::filesystem::exists(file)) return std::nullopt;
  std::istringstream text(read_text(file));
  std::string line;
  if (!std::getline(text, line) || line != key) return std::nullopt;
  const std::vector<Isa> isas = available_isas();
  SparseChoices choices{candidates.sizes, {}};
  int32_t node = 0;
  int isa = 0;
  SparseVariant variant;
  while (text >> node >> isa >> variant.vectors >> variant.chunk_bytes) {
    variant.isa = static_cast<Isa>(isa);
    const auto is_of = [&](const auto& candidate) { return candidate.layer->nodes[0] == node; };
    if (std::ranges::count(isas, variant.isa) == 0) return std::nullopt;
    if (variant.vectors == 0 && variant.chunk_bytes == 0) {
      if (std::ranges::none_of(candidates.products, is_of)) return std::nullopt;
      choices.products[node] = variant.isa;
      continue;
    }
    if (std::ranges::none_of(candidates.layers, is_of) || variant.vectors < 1 ||
        variant.chunk_bytes < 1) {
      return std::nullopt;
    }
    choices.convs[node] = variant;
  }
  return choices;
}

void keep_choices(const std::string& folder, const std::string& key, const SparseChoices& choices) {
  if (folder.empty()) return;
  std::string text = key + "\n";
  for (const auto& [node, variant] : choices.convs) {
    text += std::to_string(node) + " " + std::to_string(static_cast<int>(variant.isa)) + " " +
            std::to_string(variant.vectors) + " " + std::to_string(variant.chunk_bytes) + "\n";
  }
  for (const auto& [node, isa] : choices.products) {
    text += std::to_string(node) + " " + std::to_string(static_cast<int>(isa)) + " 0 0\n";
  }
  keep_in_cache(cache_file(folder, key, kEnding), text);
}

}  // namespace coppice::runtime
