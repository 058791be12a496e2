// Nothing that walks a graph may grow faster than it: sixteen times the nodes take sixteen times as
// long, 256 times where a pass looks through the graph for each of its nodes.

#include <gtest/gtest.h>

#include <ctime>

#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/loosen.h"
#include "graph/passes/select_channels.h"
#include "graph/passes/separate_vectors.h"
#include "graph/value_names.h"
#include "groups/cut/surgery.h"
#include "onnx/onnx.h"
#include "prune/compensate/compensation.h"
#include "prune/plan/compose_plans.h"
#include "support/graphs/long_nets.h"

namespace coppice {
namespace {

// Of this thread's processor time, so that other work on the machine doesn't count.
double seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// `prepare(nodes)` makes what `measured` is then timed on.
template <typename Prepare, typename Measured>
double growth(Prepare prepare, Measured measured) {
  constexpr int64_t kSmall = 1500, kTimes = 16;
  const auto fastest = [&](int64_t nodes) {
    double best = 1e9;
    for (int run = 0; run < 3; ++run) {
      auto input = prepare(nodes);
      const double start = seconds();
      measured(input);
      best = std::min(best, seconds() - start);
    }
    return best;
  };
  return fastest(kTimes * kSmall) / fastest(kSmall);
}

constexpr double kMost = 100;  // 16 is linear, 256 quadratic; caches take their share

Graph residual(int64_t nodes) { return residual_net(nodes, 4); }
Graph preactivation(int64_t nodes) { return preactivation_net(nodes, 4); }

TEST(Growth, of_names_is_linear) {
  EXPECT_LT(growth(preactivation,
                   [](Graph& graph) {
                     ValueNames names(graph);
                     for (size_t n = 0; n < graph.nodes.size(); ++n) names.unused("x");
                     for (const Value& value : graph.values) names.find(value.name);
                   }),
            kMost);
}

TEST(Growth, of_loosening_is_linear) { EXPECT_LT(growth(preactivation, loosen), kMost); }

TEST(Growth, of_selections_is_linear) {
  EXPECT_LT(growth(preactivation, [](Graph& graph) { add_selections(graph); }), kMost);
  const auto selected = [](int64_t nodes) {
    Graph graph = preactivation(nodes);
    add_selections(graph);
    return graph;
  };
  EXPECT_LT(growth(selected, settle_selections), kMost);
}

TEST(Growth, of_folding_normalisations_is_linear) {
  EXPECT_LT(growth(residual, fuse_batch_norms), kMost);
}

TEST(Growth, of_merging_copies_that_all_differ_is_linear) {
  const auto separated = [](int64_t nodes) {
    Graph graph = preactivation(nodes);
    separate_vectors(graph);
    float element = 0;
    for (Value& value : graph.values) {
      if (value.copy_of != kNoValue) value.constant->mutate<float>()[3] = ++element;
    }
    return graph;
  };
  EXPECT_LT(growth(separated, merge_copies), kMost);
}

// The net, and a removal that is another one in every layer.
struct Cut {
  Graph graph;
  Groups groups;
  Removal removal;
};

Cut cut_of(Graph graph) {
  Cut cut{std::move(graph), {}, {}};
  loosen(cut.graph);
  add_selections(cut.graph);
  cut.groups = find_groups(cut.graph);
  cut.removal.assign(cut.groups.unit_count, 0);
  int64_t number = 0;
  for (const Group& group : cut.groups.free) {
    if (group.units() > 1) cut.removal[group.first_unit + number++ % group.units()] = 1;
  }
  return cut;
}

TEST(Growth, of_plans_of_merged_vectors_is_linear) {
  const auto prepare = [](int64_t nodes) { return cut_of(preactivation(nodes)); };
  EXPECT_LT(growth(prepare,
                   [](Cut& cut) {
                     const Plan plan = plan_of(cut.graph, cut.groups, cut.removal);
                     ASSERT_GT(std::ssize(plan.slices), std::ssize(cut.graph.nodes) / 4);
                     compose({}, plan);
                   }),
            kMost);
}

TEST(Growth, of_making_up_for_a_cut_is_linear) {
  const auto prepare = [](int64_t nodes) { return cut_of(residual(nodes)); };
  EXPECT_LT(
      growth(prepare,
             [](Cut& cut) { compensate(cut.graph, cut.groups, cut.removal, {.bias = true}); }),
      kMost);
}

TEST(Growth, of_cutting_and_writing_is_linear) {
  const auto prepare = [](int64_t nodes) {
    Cut cut = cut_of(preactivation(nodes));
    for (size_t i = 0; i < cut.graph.values.size(); ++i) {
      // As files of the first versions do.
      if (cut.graph.values[i].constant) {
        cut.graph.foreign.listed_inputs.push_back(static_cast<ValueId>(i));
      }
    }
    return cut;
  };
  EXPECT_LT(growth(prepare,
                   [](Cut& cut) {
                     remove_units(cut.graph, cut.groups, cut.removal);
                     onnx_bytes(cut.graph);
                   }),
            kMost);
}

}  // namespace
}  // namespace coppice
