// Soft pruning under a fake trainer: what is zeroed comes back, and what is cut in the end is what
// is smallest then.
#include "methods/soft/soft.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

SoftOptions half_of_each_layer() {
  SoftOptions options;
  options.name = "soft";
  options.pruning.budget = {Budget::Of::ratio, 0.5};
  options.pruning.round_to = 1;
  return options;
}

std::vector<double> norms(const Tensor& filters) {
  const int64_t each = filters.size() / filters.shape()[0];
  std::vector<double> sums(filters.shape()[0], 0);
  for (int64_t i = 0; i < filters.size(); ++i) {
    sums[i / each] += filters.as<float>()[i] * filters.as<float>()[i];
  }
  return sums;
}

TEST(SoftPruning, refuses_to_rank_by_scales_that_zeroed_filters_leave_as_they_are) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const std::string message = fake::message_of(ErrorKind::usage, [&] {
    prune_softly(session, find_criterion("bn-scale"), half_of_each_layer(), fake::recipe(1),
                 fake::recipe(0));
  });
  EXPECT_NE(message.find("'bn-scale' doesn't rank by filters"), std::string::npos) << message;
  EXPECT_EQ(fixture.watcher.steps, 0);
}

TEST(SoftPruning, zeroes_filters_that_come_back_and_cuts_the_smallest_at_the_end) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<std::vector<double>> saved;  // after each epoch's zeroing
  fixture.watcher.after_epoch = [&] {
    saved.push_back(norms(fake::tensor(session.graph(), "w1")));
  };
  const Outcome outcome = prune_softly(session, find_criterion("l2"), half_of_each_layer(),
                                       fake::recipe(3), fake::recipe(0));
  ASSERT_EQ(saved.size(), 3u);
  EXPECT_EQ(std::ranges::count(saved[0], 0.0), 2);
  EXPECT_EQ(std::ranges::count(saved[1], 0.0), 2);
  EXPECT_EQ(std::ranges::count(saved[2], 0.0), 0) << "every filter was trained again";
  std::vector<double> last = saved[2];
  std::ranges::sort(last);
  std::vector<int64_t> keep;
  for (int64_t f = 0; f < 4; ++f) {
    if (saved[2][f] >= last[2]) keep.push_back(f);
  }
  ASSERT_FALSE(outcome.plan.slices.empty());
  for (const PlanSlice& slice : outcome.plan.slices) {
    EXPECT_EQ(slice.keep, keep) << slice.tensor;
  }
  EXPECT_EQ(fake::tensor(outcome.graph, "w1").shape()[0], 2);
  EXPECT_EQ(outcome.plan.method, "soft");
  EXPECT_TRUE(outcome.proof->comparison.equal());
}

TEST(SoftPruning, leaves_normalisation_and_momentum_as_they_were) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  fixture.watcher.after_epoch = [&] {
    EXPECT_EQ(std::ranges::count(fake::tensor(session.graph(), "scale").as<float>(), 0.0f), 0);
    EXPECT_TRUE(session.masks().empty());
  };
  prune_softly(session, find_criterion("fpgm"), half_of_each_layer(), fake::recipe(2),
               fake::recipe(1));
  EXPECT_EQ(session.history().size(), 3u);
}

TEST(SoftPruning, holds_the_statistics_of_what_it_zeroes) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::vector<char> ever(4, 0);  // zeroed
  const auto note = [&](const Graph& graph) {
    const std::vector<double> found = norms(fake::tensor(graph, "w1"));
    for (size_t i = 0; i < ever.size(); ++i) ever[i] = ever[i] || found[i] == 0;
  };
  bool first = true;
  fixture.watcher.after_step = [&] {
    if (std::exchange(first, false)) note(session.graph());  // as before training
    const Tensor& still = fixture.trainer.setup.still.at("scale");
    for (size_t i = 0; i < ever.size(); ++i) EXPECT_EQ(still.as<float>()[i] != 0, ever[i] != 0);
  };
  fixture.watcher.after_epoch = [&] { note(session.graph()); };
  prune_softly(session, find_criterion("l2"), half_of_each_layer(), fake::recipe(3),
               fake::recipe(0));
  EXPECT_GE(std::ranges::count(ever, 1), 2);
}

TEST(SoftPruning, recovers_what_it_cuts_and_proves_the_plan_of_the_original) {
  const auto result = [](const RecoverOptions& recover) {
    Fixture fixture;
    Session& session = fixture.open(parse_text_graph(fake::kNet));
    SoftOptions options = half_of_each_layer();
    options.pruning.recover = recover;
    return prune_softly(session, find_criterion("l2"), options, fake::recipe(2), fake::recipe(0));
  };
  const Outcome plain = result({}), recovered = result({.bias = true, .merge = true});
  EXPECT_EQ(plain.plan, recovered.plan);
  EXPECT_TRUE(recovered.proof->comparison.equal());
  // The second convolution had no bias, and its weights took over what left.
  const auto inputs_of = [](const Graph& graph) {
    return std::ranges::find(graph.nodes, "c",
                             [&](const Node& node) { return graph.value(node.outputs[0]).name; })
        ->inputs;
  };
  EXPECT_EQ(inputs_of(plain.graph).size(), 2u);
  EXPECT_EQ(inputs_of(recovered.graph).size(), 3u);
  EXPECT_NE(fake::tensor(plain.graph, "w2"), fake::tensor(recovered.graph, "w2"));
}

TEST(SoftPruning, goes_on_to_the_same_bits_wherever_it_stopped) {
  const TempDir folder;
  const auto bytes = [&](int64_t stop_after) {
    return fake::bytes_after_stop(
        parse_text_graph(fake::kNet), folder / "checkpoint", stop_after, [](Session& session) {
          return prune_softly(session, find_criterion("fpgm"), half_of_each_layer(),
                              fake::recipe(3), fake::recipe(1))
              .graph;
        });
  };
  const std::string whole = bytes(-1);
  for (const int64_t steps : {1, 4, 6, 10}) EXPECT_EQ(whole, bytes(steps)) << steps;
}

std::vector<EvidenceRequest> gates_of_filters(const GroupView& view) {
  std::vector<EvidenceRequest> requests;
  for (const Activation& activation : view.activations) {
    requests.push_back({activation.value, Reduction::gate_gradients, activation.axis});
  }
  return requests;
}

std::vector<std::vector<float>> scored;  // by call

std::vector<float> by_gates(const GroupView& view) {
  const Activation& seen = view.activations.front();
  const Tensor& gates = view.evidence->at({seen.value, Reduction::gate_gradients, seen.axis});
  std::vector<float> scores(seen.indices.size(), 0);
  for (int64_t i = 0; i < gates.size(); ++i) {
    scores[i % gates.shape()[1]] += static_cast<float>(std::fabs(gates.as<double>()[i]));
  }
  if (view.group.first_unit == 0) scored.push_back(scores);
  return scores;
}

TEST(SoftPruning, by_a_criterion_that_needs_gradients_asks_the_trainer_each_time) {
  const Criterion gates{.name = "gates",
                        .paper = "",
                        .about = "gate gradients",
                        .score = by_gates,
                        .needs = gates_of_filters};
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  scored.clear();
  const Outcome outcome =
      prune_softly(session, gates, half_of_each_layer(), fake::recipe(2), fake::recipe(0));
  ASSERT_EQ(scored.size(), 3u) << "before the first epoch, after it, and for the cut";
  EXPECT_NE(scored[0], scored[2]);
  std::vector<float> last = scored[2];
  std::ranges::sort(last);
  std::vector<int64_t> keep;
  for (int64_t f = 0; f < 4; ++f) {
    if (scored[2][f] >= last[2]) keep.push_back(f);
  }
  for (const PlanSlice& slice : outcome.plan.slices) {
    if (slice.tensor != "w1") continue;
    EXPECT_EQ(slice.keep, keep);
  }
  EXPECT_EQ(fake::tensor(outcome.graph, "w1").shape()[0], 2);
}

}  // namespace
}  // namespace coppice
