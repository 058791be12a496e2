// See pattern.h.
#include "methods/unstructured/pattern.h"

#include <cmath>

#include "core/attempt.h"
#include "graph/value_names.h"
#include "prune/blocks/arrange_filters.h"
#include "prune/blocks/filter_blocks.h"
#include "verify/compare.h"

namespace coppice {
namespace {

// The share of all masked layers' magnitude that stays.
double kept_share(const Graph& graph, const Masks& masks) {
  const ValueNames names(graph);
  double all = 0, kept = 0;
  for (const auto& [name, mask] : masks) {
    const auto weights = graph.value(*names.find(name)).constant->as<float>();
    const auto stays = mask.as<float>();
    for (size_t i = 0; i < weights.size(); ++i) {
      all += std::fabs(weights[i]);
      if (stays[i] != 0) kept += std::fabs(weights[i]);
    }
  }
  return all > 0 ? kept / all : 1;
}

bool proved(const Graph& graph, const std::vector<ChannelOrder>& orders) {
  Graph moved = graph;
  reorder_channels(moved, orders);
  return attempt(ErrorKind::input,
                 [&] { return compare(graph, moved, fitting_sizes(graph, {}), 0).equal(); })
      .value_or(false);
}

// What moves by group, as one; without the groups whose move alone changes the outputs: what ties
// channels together says that they leave together, not that they are alike.
std::vector<ChannelOrder> proved_part(const Graph& graph,
                                      std::vector<std::vector<ChannelOrder>> by_group) {
  const auto all = [&] {
    std::vector<ChannelOrder> orders;
    for (const auto& of : by_group) orders.insert(orders.end(), of.begin(), of.end());
    return composed(orders);
  };
  std::vector<ChannelOrder> orders = all();
  if (orders.empty() || proved(graph, orders)) return orders;
  std::erase_if(by_group, [&](const auto& of) { return !proved(graph, of); });
  orders = all();
  return orders.empty() || proved(graph, orders) ? orders : std::vector<ChannelOrder>{};
}

ResultTable table_of(double single, double as_they_lie, std::optional<double> moved, int together) {
  const std::string blocks = std::to_string(together) + "x1 blocks, filters ";
  ResultTable table{.key = "pattern",
                    .columns = {{"zeros", "zeros", ResultTable::As::text},
                                {"kept_magnitude", "kept magnitude", ResultTable::As::share}}};
  table.rows = {{std::string("unstructured"), single}, {blocks + "as they lay", as_they_lie}};
  if (moved) table.rows.push_back({blocks + "in another order", *moved});
  return table;
}

}  // namespace

void Pattern::say(Outcome& outcome) const {
  outcome.plan.orders = orders;
  if (kept) outcome.tables.push_back(*kept);
}

Pattern find_pattern(const Graph& graph, const MagnitudeOptions& options) {
  Pattern pattern{.pruning = options};
  if (options.together == 1) return pattern;
  MagnitudeOptions single = options;
  single.together = 1;
  const Masks unstructured = magnitude_masks(graph, single);
  const double as_they_lie = kept_share(graph, magnitude_masks(graph, options));
  std::vector<ChannelOrder> orders =
      proved_part(graph, arrange_filters(graph, find_groups(graph), options, unstructured));
  std::optional<double> moved;
  if (!orders.empty()) {
    MagnitudeOptions arranged = options;
    arranged.filters = filter_orders(graph, orders);
    const double kept = kept_share(graph, magnitude_masks(graph, arranged));
    if (kept > as_they_lie) {
      moved = kept;
      pattern.pruning = std::move(arranged);
      pattern.orders = std::move(orders);
    }
  }
  pattern.kept = table_of(kept_share(graph, unstructured), as_they_lie, moved, options.together);
  return pattern;
}

Masks in_whole_blocks(const Graph& graph, const MagnitudeOptions& options, const Masks& masks) {
  const ValueNames names(graph);
  std::vector<ValueId> ids;
  for (const auto& [name, mask] : masks) ids.push_back(*names.find(name));
  const auto blocks = blocks_of(graph, ids, options.together, options.filters);
  Masks whole;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string& name = graph.value(ids[i]).name;
    whole.emplace(name, blocks[i].whole(masks.at(name)));
  }
  return whole;
}

}  // namespace coppice
