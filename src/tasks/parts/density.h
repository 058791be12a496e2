// What there is to say about zeros and shared values: what a training keeps, and whether the result
// is denser than what came in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/json.h"
#include "session/state/kept.h"

namespace coppice {

// Of the maskable weights (prune/masks/masks.h).
struct Density {
  WeightCount weights;
  int64_t shared_layers = 0;  // whose weights share values
};

struct DensityChange {
  Density before, after;
  // Whether a larger share isn't zero, by more than a thousandth of all, or layers share no more.
  bool denser() const;
  // Whether there is anything but plain dense weights to speak of.
  bool notable() const;
};

// A layer of `before` shares its values in `after` where it has no more of them.
DensityChange density_change(const Graph& before, const Graph& after);

// Of a maskable weight.
struct LayerDensity {
  std::string name;
  WeightCount weights;
};
// In the order of the layers.
std::vector<LayerDensity> layer_densities(const Graph& graph);

// Weights that stay zero.
int64_t count_zeros(const Kept& kept);

// "keeps 828,527 zero weights (66.6 %) and 26 layers of shared values; --zeros free lets go"; empty
// where there is nothing to keep.
std::string kept_line(const Kept& kept, const Graph& original);

// A sentence that warns where the result is denser.
std::optional<std::string> why_denser(const DensityChange& change);
// "3 layers of shared values"
std::string shared_layers_text(int64_t layers);

// {"weights", "nonzeros", "sparsity", "shared_layers"}
Json to_json(const Density& density);
// [{"name", "weights", "nonzeros", "density"}]
Json to_json(const std::vector<LayerDensity>& layers);
double sparsity(const WeightCount& weights);

}  // namespace coppice
