#include "model/provenance.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Plan plan_by(const std::string& method, const std::string& budget, const std::string& sha256) {
  Plan plan;
  plan.method = method;
  plan.budget = budget;
  plan.version = "1.2.3";
  plan.model_sha256 = sha256;
  return plan;
}

TEST(SayHowPruned, adds_entries_beside_those_of_others) {
  Graph graph;
  graph.metadata = {{"author", "me"}};
  say_how_pruned(graph, plan_by("fpgm", "--keep-macs 0.5", "12ab"));
  EXPECT_EQ(graph.metadata, (Entries{{"author", "me"},
                                     {"coppice.method", "fpgm"},
                                     {"coppice.budget", "--keep-macs 0.5"},
                                     {"coppice.version", "1.2.3"},
                                     {"coppice.original_sha256", "12ab"}}));
}

TEST(SayHowPruned, a_second_pruning_replaces_its_own_and_leaves_nothing_of_the_first) {
  Graph graph;
  say_how_pruned(graph, plan_by("fpgm", "--keep-macs 0.5", "12ab"));
  graph.metadata.emplace_back("author", "me");
  say_how_pruned(graph, plan_by("l1", "", "34cd"));
  EXPECT_EQ(graph.metadata, (Entries{{"coppice.method", "l1"},
                                     {"coppice.version", "1.2.3"},
                                     {"coppice.original_sha256", "34cd"},
                                     {"author", "me"}}));
}

}  // namespace
}  // namespace coppice
