// Graphs that a method puts in the place of what there was, and weights that come back.
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/passes/separate_vectors.h"
#include "prune/masks/masks.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

void train(Session& session, const Recipe& recipe, const TrainHooks& hooks = {}) {
  session.stage("training", [&] { session.train(recipe, hooks); });
}

// The same with a constant under another name.
Graph renamed(Graph graph, const std::string& from, const std::string& to) {
  graph.value(*find_value(graph, from)).name = to;
  return graph;
}

Graph with_first_weight(Graph graph, const std::string& name, float weight) {
  graph.value(*find_value(graph, name)).constant->mutate<float>()[0] = weight;
  return graph;
}

NamedTensors momentum_of(const FakeTrainer& trainer) { return trainer.loaded.slots.at("momentum"); }

TEST(SessionEdit, keeps_plan_masks_and_the_momentum_of_weights_that_kept_their_names) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.5});
  session.stage("masking", [&] { session.mask(masks, Session::Masking::hard); });
  NamedTensors before;
  train(session, fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
          if (epoch != 1) return;
          Graph graph = session.graph();
          OptimizerState state;
          fixture.trainer.store(graph, state);
          before = state.slots.at("momentum");
          session.edit(renamed(with_first_weight(graph, "fb", 7), "scale", "gamma"));
          EXPECT_EQ(fake::tensor(session.graph(), "fb").as<float>()[0], 7);
        }});
  EXPECT_EQ(fixture.trainer.loaded.updates, 3);
  EXPECT_EQ(before.erase("scale"), 1u);
  EXPECT_EQ(momentum_of(fixture.trainer), before);
  EXPECT_EQ(session.masks(), masks);
  EXPECT_TRUE(session.history()[0].held_out_after.has_value());
}

TEST(SessionEdit, masks_hold_in_what_is_put_in_their_place) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Graph dense = session.graph();
  const Masks masks = magnitude_masks(dense, {.sparsity = 0.5});
  session.stage("masking", [&] { session.mask(masks, Session::Masking::hard); });
  const Graph masked = session.graph();
  session.stage("editing", [&] { session.edit(dense); });
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(masked));
  const std::string message =
      fake::message_of(ErrorKind::input, [&] { session.edit(renamed(dense, "w2", "other")); });
  EXPECT_NE(message.find("w2"), std::string::npos) << message;
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(masked));
}

// A file doesn't hold what nobody reads, so nothing may lie beside it.
TEST(SessionEdit, of_a_layer_that_is_gone_everything_goes_though_its_weight_still_lies_there) {
  const TempDir folder;
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet), {.checkpoint = folder / "run"});
  session.stage("masking", [&] {
    session.mask(magnitude_masks(session.graph(), {.sparsity = 0.5}), Session::Masking::hard);
    session.snapshot("init");
  });
  train(session, fake::recipe(2), {.after_epoch = [&](int64_t epoch) {
          if (epoch != 1) return;
          Graph graph = session.graph();
          const ValueId weight = *find_value(graph, "fw");
          const ValueId other = add_constant(graph, "other", *graph.value(weight).constant);
          for (Node& node : graph.nodes) std::ranges::replace(node.inputs, weight, other);
          session.edit(std::move(graph));
        }});
  const SessionState saved = read_checkpoint(folder / "run");
  EXPECT_FALSE(saved.masks.contains("fw"));
  EXPECT_TRUE(saved.masks.contains("w2"));
  EXPECT_FALSE(saved.snapshots.at("init").contains("fw"));
}

TEST(SessionEdit, what_is_only_written_otherwise_is_not_judged_anew) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("written otherwise", [&] { session.rewrite(session.graph()); });
  session.stage("edited", [&] { session.edit(session.graph()); });
  EXPECT_FALSE(session.stages()[0].held_out.has_value());
  EXPECT_TRUE(session.stages()[1].held_out.has_value());
}

// Two layers that read the same vectors, as exporters write them.
constexpr char kMerged[] = R"(
    input x float32 [N, 1, 4, 4]
    const ones float32 [4] ones
    const zeros float32 [4] zeros
    const w1 float32 [4, 1, 3, 3] random
    const w2 float32 [4, 4, 1, 1] random
    const fw float32 [3, 4] random
    a = Conv(x, w1)
    n = BatchNormalization(a, ones, zeros, zeros, ones)
    c = Conv(n, w2)
    m = BatchNormalization(c, ones, zeros, zeros, ones)
    g = GlobalAveragePool(m)
    f = Flatten(g)
    y = Gemm(f, fw) {transB=1}
    output y)";

TEST(SessionEdit, layers_have_vectors_of_their_own_from_the_beginning_and_after_every_edit) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(kMerged));
  Graph separated = session.original();
  separate_vectors(separated);
  ASSERT_GT(separated.values.size(), session.original().values.size());
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(separated));
  session.stage("editing", [&] { session.edit(session.original()); });
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(separated));
  std::string in_training;
  fixture.watcher.after_step = [&] { in_training = fake::bytes_of(session.graph()); };
  train(session, fake::recipe(1));
  EXPECT_EQ(in_training, fake::bytes_of(separated));
}

TEST(SessionSnapshot, weights_and_statistics_come_back_with_a_fresh_optimizer) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  std::string early;
  train(session, fake::recipe(3), {.after_epoch = [&](int64_t epoch) {
          if (epoch == 1) {
            session.snapshot("early");
            early = fake::bytes_of(session.graph());
          }
          if (epoch != 2) return;
          EXPECT_NE(fake::bytes_of(session.graph()), early);
          session.restore("early");
          EXPECT_EQ(fake::bytes_of(session.graph()), early);
        }});
  EXPECT_EQ(fixture.trainer.loaded.updates, 0);
  EXPECT_TRUE(fixture.trainer.loaded.slots.empty());
  EXPECT_NE(fake::bytes_of(session.graph()), early);
  session.stage("rewinding", [&] { session.restore("early"); });
  EXPECT_EQ(fake::bytes_of(session.graph()), early);
  EXPECT_TRUE(session.stages().back().held_out.has_value());
}

TEST(SessionSnapshot, masks_hold_in_what_comes_back) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  const Masks masks = magnitude_masks(session.graph(), {.sparsity = 0.5});
  Graph expected = session.graph();
  apply_masks(expected, masks);
  session.stage("beginning", [&] { session.snapshot("init"); });
  train(session, fake::recipe(1));
  session.stage("pruning", [&] {
    session.mask(masks, Session::Masking::hard);
    session.restore("init");
  });
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(expected));
}

void cut_second_units(Session& session) {
  const Groups groups = find_groups(session.graph());
  Removal removal(groups.unit_count, 0);
  for (const Group& group : groups.free) removal[group.first_unit + 1] = 1;
  session.remove(groups, removal);
}

TEST(SessionSnapshot, cuts_take_the_same_units_out_of_it) {
  Fixture alone, fixture;
  Session& cut = alone.open(parse_text_graph(fake::kNet));
  cut.stage("cutting", [&] { cut_second_units(cut); });
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("beginning", [&] { session.snapshot("init"); });
  train(session, fake::recipe(1));
  session.stage("cutting and rewinding", [&] {
    cut_second_units(session);
    session.restore("init");
  });
  EXPECT_TRUE(fake::bytes_of(session.graph()) == fake::bytes_of(cut.graph()));
}

TEST(SessionSnapshot, of_what_an_edit_has_made_otherwise_nothing_comes_back) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(fake::kNet));
  session.stage("editing", [&] {
    session.snapshot("init");
    session.edit(renamed(with_first_weight(session.graph(), "fb", 7), "scale", "gamma"));
    session.edit(with_first_weight(session.graph(), "gamma", 8));
    session.restore("init");
  });
  EXPECT_EQ(fake::tensor(session.graph(), "gamma").as<float>()[0], 8);
  EXPECT_EQ(fake::tensor(session.graph(), "fb"), fake::tensor(session.original(), "fb"));
}

}  // namespace
}  // namespace coppice
