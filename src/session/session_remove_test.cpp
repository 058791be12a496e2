// Units that leave in the middle of a training: everything beside the weights leaves with them.
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/passes/separate_vectors.h"
#include "groups/cut/surgery.h"
#include "prune/masks/masks.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

// One unit of every group.
void remove_from_all_groups(Session& session, int64_t unit) {
  const Groups groups = find_groups(session.graph());
  Removal removal(groups.unit_count, 0);
  for (const Group& group : groups.free) removal[group.first_unit + unit] = 1;
  session.remove(groups, removal);
}

// What a plan leaves of a tensor.
Tensor left_of(const Tensor& tensor, const std::string& name, const Plan& plan) {
  Tensor left = tensor;
  for (const PlanSlice& slice : plan.slices) {
    if (slice.tensor == name) left = take(left, slice.axis, slice.keep);
  }
  return left;
}

std::map<std::string, Shape> shapes_of(const Graph& graph) {
  std::map<std::string, Shape> shapes;
  for (const Value& value : graph.values) {
    if (value.constant) shapes[value.name] = value.constant->shape();
  }
  return shapes;
}

std::map<std::string, Shape> replayed(Graph original, const Plan& plan) {
  const Groups groups = find_groups(original);
  remove_units(original, groups, removal_of(original, groups, plan));
  return shapes_of(original);
}

TEST(SessionRemove, weights_momentum_and_masks_are_cut_alike) {
  const TempDir folder;
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.3});
  session.stage("masking", [&] { session.mask(masks, Session::Masking::hard); });
  Graph before;
  OptimizerState state;
  const auto cut = [&](int64_t epoch) {
    if (epoch != 2) return;
    before = session.graph();
    fixture.trainer.store(before, state);
    remove_from_all_groups(session, 1);
  };
  bool looked = false;
  fixture.watcher.after_epoch = [&] {
    if (fixture.watcher.epochs.size() != 2) return;
    looked = true;
    const SessionState saved = read_checkpoint(folder / "run");
    ASSERT_EQ(saved.plan.slices.size(), 8u);
    for (const auto& [name, momentum] : state.slots.at("momentum")) {
      SCOPED_TRACE(name);
      EXPECT_EQ(fake::tensor(saved.graph, name),
                left_of(fake::tensor(before, name), name, saved.plan));
      EXPECT_EQ(saved.optimizer.slots.at("momentum").at(name), left_of(momentum, name, saved.plan));
    }
    ASSERT_EQ(saved.masks.size(), masks.size());
    for (const auto& [name, mask] : masks) {
      EXPECT_EQ(saved.masks.at(name), left_of(mask, name, saved.plan)) << name;
    }
    EXPECT_EQ(saved.optimizer.updates, state.updates);
  };
  session.stage("training", [&] { session.train(fake::recipe(4), {.after_epoch = cut}); });
  EXPECT_TRUE(looked);
  EXPECT_EQ(fixture.trainer.loads, 4);  // the masked, the dense, and twice the smaller graph
  EXPECT_EQ(session.history().size(), 4u);
  for (const auto& [name, mask] : session.masks()) {
    const Tensor& weights = fake::tensor(session.graph(), name);
    ASSERT_EQ(weights.shape(), mask.shape());
    for (int64_t i = 0; i < mask.size(); ++i) {
      EXPECT_EQ(weights.as<float>()[i] == 0, mask.as<float>()[i] == 0) << name;
    }
  }
}

TEST(SessionRemove, the_plan_of_several_cuts_replays_on_the_original) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("training", [&] {
    session.train(fake::recipe(3), {.after_epoch = [&](int64_t epoch) {
                    if (epoch < 3) remove_from_all_groups(session, 0);
                  }});
  });
  EXPECT_EQ(fake::tensor(session.graph(), "w2").shape(), (Shape{1, 2, 1, 1}));
  EXPECT_EQ(session.plan().slices.front().keep, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(replayed(session.original(), session.plan()), shapes_of(session.graph()));
}

TEST(SessionRemove, a_cut_that_is_not_the_masked_graph_is_refused_and_nothing_changes) {
  Fixture fixture;
  Graph graph = parse_text_graph(fake::kNet);
  graph.value(*find_value(graph, "shift")).constant = Tensor::of<float>({4}, {1, 1, 1, 1});
  Session& session = fixture.open(graph);
  Groups groups = find_groups(session.graph());
  // Masked so, the shift still reaches the layer behind.
  std::erase_if(groups.free.front().slices, [&](const Slice& slice) {
    const std::string& name = session.graph().value(slice.tensor).name;
    return name == "shift" || name == "w2";
  });
  Removal removal(groups.unit_count, 0);
  removal[1] = 1;
  const std::string before = fake::bytes_of(session.graph());
  EXPECT_NE(fake::message_of(ErrorKind::internal, [&] { session.remove(groups, removal); })
                .find("differs from the masked original"),
            std::string::npos);
  EXPECT_TRUE(fake::bytes_of(session.graph()) == before);
  EXPECT_TRUE(session.plan().slices.empty());
  session.remove(groups, removal, {.proof = RemoveOptions::Proof::off});
  EXPECT_EQ(fake::tensor(session.graph(), "w1").shape()[0], 3);
}

TEST(SessionRemove, vectors_that_training_separated_are_cut_one_by_one) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 3, 3] random
    const ones float32 [4] ones
    const zeros float32 [4] zeros
    const w2 float32 [4, 4, 1, 1] random
    const w3 float32 [3, 4, 1, 1] random
    a = Conv(x, w1)
    n = BatchNormalization(a, ones, zeros, zeros, ones)
    b = Conv(n, w2)
    m = BatchNormalization(b, ones, zeros, zeros, ones)
    c = Conv(m, w3)
    g = GlobalAveragePool(c)
    y = Flatten(g)
    output y)"));
  session.stage("training", [&] {
    session.train(fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
                    if (epoch != 1) return;
                    const Groups groups = find_groups(session.graph());
                    ASSERT_EQ(groups.free.size(), 2u);
                    Removal removal(groups.unit_count, 0);
                    removal[groups.free[0].first_unit + 3] = 1;
                    session.remove(groups, removal);
                  }});
  });
  EXPECT_EQ(fake::tensor(session.graph(), "w2").shape(), (Shape{4, 3, 1, 1}));
  Graph separated = session.original();
  separate_vectors(separated);
  EXPECT_EQ(replayed(separated, session.plan()), shapes_of(session.graph()));
}

TEST(SessionRemove, a_cut_model_that_is_adopted_in_mid_training_begins_without_momentum) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  Graph smaller = session.original();
  const Groups groups = find_groups(smaller);
  Removal removal(groups.unit_count, 0);
  removal[0] = 1;
  const Plan plan = plan_of(smaller, groups, removal);
  remove_units(smaller, groups, removal);
  session.stage("training", [&] {
    session.train(fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
                    if (epoch == 1) session.adopt(smaller, plan, {});
                  }});
  });
  EXPECT_EQ(session.history().size(), 2u);
  EXPECT_EQ(shapes_of(session.graph()), shapes_of(smaller));
  EXPECT_EQ(session.plan(), plan);
}

}  // namespace
}  // namespace coppice
