// See inspect_norms.h.
#include "cli/commands/inspect_norms.h"

#include <algorithm>

#include "core/error.h"
#include "graph/passes/loosen.h"
#include "prune/norm_statistics.h"
#include "report/format.h"
#include "report/table.h"

namespace coppice {
namespace {

constexpr double kRemoved = 0.4;  // the paper's ratio; the choices are compared at it
constexpr size_t kMostRows = 200;

struct Verdict {
  // A set: the filters of one layer that compete for one budget. `narrow` and `far_from_zero` fail
  // a precondition.
  int64_t sets = 0, narrow = 0, far_from_zero = 0;
  double overlap = 0;  // mean over the sets
};

Verdict verdict_of(const std::vector<NormStatistics>& layers) {
  Verdict verdict{.sets = std::ssize(layers)};
  for (const NormStatistics& layer : layers) {
    verdict.narrow += !layer.spread();
    verdict.far_from_zero += !layer.reaches_zero();
    verdict.overlap += layer.overlap / static_cast<double>(layers.size());
  }
  return verdict;
}

std::string whole_percent(double share) { return significant(100 * share, 2) + " %"; }

std::string sentence(const Verdict& verdict) {
  const std::string of = " of " + std::to_string(verdict.sets) + " sets of filters";
  const bool trusted =
      2 * verdict.narrow < verdict.sets && 2 * verdict.far_from_zero < verdict.sets;
  return "Norms spread by less than " + whole_percent(NormStatistics::kLeastSpread) +
         " of their mean in " + std::to_string(verdict.narrow) + of +
         ", and the smallest is above " + whole_percent(NormStatistics::kMostLeast) + " of it in " +
         std::to_string(verdict.far_from_zero) + ": small norms " +
         (trusted ? "tell filters apart in" : "say little about") + " this model (at " +
         whole_percent(kRemoved) + " removed, norm and fpgm agree on " +
         whole_percent(verdict.overlap) + " of the filters).\n";
}

Json to_json(const Graph& graph, const std::vector<NormStatistics>& layers) {
  Json list = Json::array();
  for (const NormStatistics& layer : layers) {
    list.push_back({{"weight", graph.value(layer.weight).name},
                    {"filters", layer.units},
                    {"mean", layer.mean},
                    {"deviation", layer.deviation},
                    {"least", layer.least},
                    {"most", layer.most},
                    {"overlap", layer.overlap}});
  }
  const Verdict verdict = verdict_of(layers);
  return {{"norms", list},
          {"removed", kRemoved},
          {"sets", verdict.sets},
          {"narrow", verdict.narrow},
          {"far_from_zero", verdict.far_from_zero},
          {"overlap", verdict.overlap}};
}

}  // namespace

Result inspect_norms(const Model& model, const Invocation& run) {
  constexpr Table::Align kRight = Table::Align::right;
  Graph graph = model.graph;
  loosen(graph);
  const std::vector<NormStatistics> layers = norm_statistics(graph, find_groups(graph), kRemoved);
  if (layers.empty()) fail_target("no filters that could leave (see 'coppice inspect')");
  Table table({{"weight"},
               {"filters", kRight},
               {"mean norm", kRight},
               {"deviation", kRight},
               {"smallest", kRight},
               {"largest", kRight},
               {"norm = fpgm", kRight}});
  for (const NormStatistics& layer : layers) {
    const auto of_mean = [&](double value) {
      return percentage(layer.mean > 0 ? value / layer.mean : 0);
    };
    table.add({graph.value(layer.weight).name, with_separators(layer.units),
               significant(layer.mean, 4), of_mean(layer.deviation), of_mean(layer.least),
               of_mean(layer.most), percentage(layer.overlap)});
  }
  run.console.print(table.text(kMostRows) + "\n" + sentence(verdict_of(layers)));
  return {.json = to_json(graph, layers)};
}

}  // namespace coppice
