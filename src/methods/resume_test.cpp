// Every method that trains, stopped at the end of every stage and after every step, goes on to the
// same bits; also where the values of the saved graph have other numbers by then, which no method
// may rely on (session/session.h).
#include <gtest/gtest.h>

#include "core/random.h"
#include "graph/op.h"
#include "graph/renumber.h"
#include "methods/greedy/greedy.h"
#include "methods/lottery/lottery.h"
#include "methods/method.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/slimming.h"
#include "methods/soft/soft.h"
#include "methods/sparse_training/at_start/grasp.h"
#include "methods/sparse_training/at_start/snip.h"
#include "methods/sparse_training/at_start/synflow.h"
#include "methods/sparse_training/gradual.h"
#include "methods/sparse_training/rigl.h"
#include "methods/unstructured/deep_compression.h"
#include "methods/unstructured/dsd.h"
#include "methods/unstructured/magnitude.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using fake::Fixture;

constexpr char kNet[] = R"(
    opset 13
    input x float32 [N, 1, 4, 4]
    const w1 float32 [4, 1, 3, 3] random
    const ones float32 [4] ones
    const zeros float32 [4] zeros
    const w2 float32 [4, 4, 1, 1] random
    const w3 float32 [4, 4, 1, 1] random
    const fw1 float32 [8, 4] random
    const fb1 float32 [8] random
    const ratio float32 [] = 0.5
    const fw2 float32 [3, 8] random
    const fw3 float32 [2, 8] random
    a = Conv(x, w1, zeros) {pads=[1, 1, 1, 1]}
    n = BatchNormalization(a, ones, zeros, zeros, ones)
    r = Relu(n)
    c = Conv(r, w2)
    m = BatchNormalization(c, ones, zeros, zeros, ones)
    s = Relu(m)
    e = Conv(s, w3, zeros)
    g = GlobalAveragePool(e)
    f = Flatten(g)
    h = Gemm(f, fw1, fb1) {transB=1}
    t = Relu(h)
    d = Dropout(t, ratio)
    l = Gemm(d, fw2) {transB=1}
    y = Softmax(l)
    z = Gemm(d, fw3) {transB=1}
    output y z)";

// Two outputs, a Softmax, Dropout, merged vectors, and weights in Constant nodes.
Graph net() {
  Graph graph = parse_text_graph(kNet);
  for (const char* name : {"fw1", "w2", "ratio"}) {
    Node node;
    node.op_type = "Constant";
    node.op = find_operator("", "Constant");
    node.outputs = {*find_value(graph, name)};
    graph.nodes.insert(graph.nodes.begin(), std::move(node));
  }
  return graph;
}

OneShotOptions half() {
  OneShotOptions options;
  options.budget = {Budget::Of::ratio, 0.5};
  options.round_to = 1;
  return options;
}

OneShotOptions half_made_up_for() {
  OneShotOptions options = half();
  options.recover = {.bias = true, .merge = true, .scale = true};
  return options;
}

DeepCompressionOptions two_rounds(DeepCompressionOptions::Retraining retraining) {
  DeepCompressionOptions options;
  options.pruning.sparsity = 0.6;
  options.rounds = 2;
  options.retraining = retraining;
  options.sharing = {.bits = {.conv = 3, .fc = 2}};
  return options;
}

LotteryOptions lottery(const Rewind& rewind) {
  LotteryOptions options;
  options.pace = {.rounds = 2, .rate = 0.4};
  options.rewind = rewind;
  options.judge_every = 2;
  return options;
}

Outcome slim(Session& session, int64_t passes) {
  SlimmingOptions options;
  options.pruning = half_made_up_for();
  options.passes = passes;
  return slimming(session, options, fake::recipe(2), fake::recipe(1));
}

// As the table has it, over three epochs.
Outcome by_entry(Session& session, const char* name, const char* constants) {
  const Method& method = find_method(name);
  Settings settings(options_of(method));
  const auto set = [&](const std::string& option, const char* value) {
    for (const OptionUse& use : method.options) {
      if (use.option->name() == option) settings.set(*use.option, value);
    }
  };
  set("prune-ratio", "0.5");
  set("round-to", "1");
  set("bn-constant", constants);
  method.settle(settings);
  return run_in_training(method, session, fake::recipe(3), {.settings = settings});
}

Outcome one_by_one(Session& session, const char* criterion, GreedyOptions options) {
  options.pruning = half();
  return prune_greedily(session, find_criterion(criterion), options, fake::recipe(1),
                        fake::recipe(1));
}

Outcome rewired(Session& session, RiglOptions::Growth growth) {
  return train_sparse(session, {.sparsity = 0.5, .growth = growth, .every = 2}, fake::recipe(3));
}

using ChooseMasks = std::function<ScoredMasks(Session& session, const AtStartOptions& options)>;

Outcome at_start(Session& session, const char* name, const ChooseMasks& choose) {
  const AtStartOptions options{
      .pruning = {.sparsity = 0.6, .scope = MagnitudeOptions::Scope::global}, .images = 20};
  return prune_at_start(
      name, session, options, [&] { return choose(session, options); }, fake::recipe(2));
}

struct Case {
  const char* name;
  Outcome (*run)(Session& session);
};

using Retraining = DeepCompressionOptions::Retraining;

const Case kCases[] = {
    {"deep_compression",
     [](Session& session) {
       return deep_compression(session, two_rounds(Retraining::together), fake::recipe(2));
     }},
    {"deep_compression_in_turn",
     [](Session& session) {
       return deep_compression(session, two_rounds(Retraining::alternating), fake::recipe(1));
     }},
    {"slimming", [](Session& session) { return slim(session, 1); }},
    {"slimming_in_two_passes", [](Session& session) { return slim(session, 2); }},
    {"dsd",
     [](Session& session) {
       return dense_sparse_dense(session, {.sparsity = 0.5, .rounds = 2}, fake::recipe(1));
     }},
    {"lottery",
     [](Session& session) { return find_ticket(session, lottery({}), fake::recipe(2)); }},
    {"lottery_late_with_controls",
     [](Session& session) {
       LotteryOptions options = lottery({.updates = 2});
       options.first = LotteryOptions::First::drawn;
       options.controls = {.redrawn = true, .random_masks = true, .seeds = 1, .rounds = {2}};
       options.stability = 3;
       return find_ticket(session, options, fake::recipe(1));
     }},
    {"lottery_of_the_rate",
     [](Session& session) {
       LotteryOptions options = lottery({.of = Rewind::Of::rate});
       options.controls = {.random_masks = true, .rounds = {1}};
       return find_ticket(session, options, fake::recipe(1));
     }},
    {"soft",
     [](Session& session) {
       return prune_softly(session, find_criterion("fpgm"),
                           {.name = "fpgm", .pruning = half_made_up_for()}, fake::recipe(3),
                           fake::recipe(1));
     }},
    {"sfp", [](Session& session) { return by_entry(session, "sfp", "zero"); }},
    {"asfp", [](Session& session) { return by_entry(session, "asfp", "fold"); }},
    {"scratch_e", [](Session& session) { return by_entry(session, "scratch-e", "zero"); }},
    {"scratch_b", [](Session& session) { return by_entry(session, "scratch-b", "zero"); }},
    {"taylor", [](Session& session) { return one_by_one(session, "taylor", {.updates = 2}); }},
    {"taylor_fo",
     [](Session& session) {
       return one_by_one(session, "taylor-fo",
                         {.updates = 3, .units_per_step = 3, .smoothing = 0.9});
     }},
    {"greedy_by_weights",
     [](Session& session) {
       return one_by_one(session, "l2", {.updates = 2, .units_per_step = 2});
     }},
    {"gradual",
     [](Session& session) {
       return prune_gradually(
           session,
           {.pruning = {.sparsity = 0.7}, .initial = 0.1, .from = 0.1, .until = 0.8, .every = 2},
           fake::recipe(3));
     }},
    {"gradual_in_blocks",
     [](Session& session) {
       return prune_gradually(
           session, {.pruning = {.sparsity = 0.6, .together = 2}, .until = 0.8, .every = 2},
           fake::recipe(2));
     }},
    {"deep_compression_in_blocks",
     [](Session& session) {
       DeepCompressionOptions options = two_rounds(Retraining::together);
       options.pruning.together = 4;
       return deep_compression(session, options, fake::recipe(1));
     }},
    {"rigl", [](Session& session) { return rewired(session, RiglOptions::Growth::gradient); }},
    {"rigl_at_random",
     [](Session& session) { return rewired(session, RiglOptions::Growth::random); }},
    {"snip",
     [](Session& session) {
       return at_start(session, "snip", [](Session& s, const AtStartOptions& options) {
         return snip_masks(s, options, fake::recipe(2));
       });
     }},
    {"grasp",
     [](Session& session) {
       return at_start(session, "grasp", [](Session& s, const AtStartOptions& options) {
         return grasp_masks(s, options, fake::recipe(2));
       });
     }},
    {"synflow",
     [](Session& session) {
       return at_start(session, "synflow", [](Session& s, const AtStartOptions& options) {
         return synflow_masks(s, options, 3);
       });
     }},
    {"structured",
     [](Session& session) {
       return prune_and_train(
           session,
           [](const Graph& graph) {
             return prune_once(graph, find_criterion("l2"), half_made_up_for());
           },
           fake::recipe(2));
     }},
    {"magnitude",
     [](Session& session) {
       return prune_and_train(
           session,
           [](const Graph& graph) {
             return prune_by_magnitude(graph, {.sparsity = 0.7}, Verify::on);
           },
           fake::recipe(2));
     }},
};

// Where a run ends early: both negative for one that doesn't.
struct Stop {
  int64_t stages = -1, steps = -1;
};

struct Ran {
  std::string graph;
  Plan plan;
  std::vector<EpochRecord> history;
  std::vector<StageRecord> stages;
  std::vector<ResultTable> tables;
  int64_t steps = 0;
};

Ran ran(Fixture& fixture, const Case& method) {
  const Outcome outcome = method.run(*fixture.opened);
  return {fake::bytes_of(outcome.graph), outcome.plan,   fixture.opened->history(),
          fixture.opened->stages(),      outcome.tables, fixture.watcher.steps};
}

void shuffle_values(Graph& graph, uint64_t seed) {
  std::vector<ValueId> order;
  for (const int64_t id : Random(seed).permutation(std::ssize(graph.values))) {
    order.push_back(static_cast<ValueId>(id));
  }
  renumber(graph, order);
}

enum class Numbers { kept, shuffled };

Ran resumed(const Case& method, const Stop& stop, Numbers numbers) {
  const TempDir folder;
  const SessionOptions options{.checkpoint = folder / "checkpoint"};
  Fixture first;
  first.watcher.stop_after = stop.steps;
  first.watcher.stop_after_stages = stop.stages;
  first.open(net(), options);
  EXPECT_THROW(method.run(*first.opened), Error);
  Fixture second;
  SessionState state = read_checkpoint(options.checkpoint);
  if (numbers == Numbers::shuffled) shuffle_values(state.graph, 7);
  second.open(net(), options).resume(std::move(state));
  return ran(second, method);
}

void expect_same(const Ran& found, const Ran& expected) {
  EXPECT_TRUE(found.graph == expected.graph) << "other bytes";
  EXPECT_EQ(found.plan, expected.plan);
  fake::expect_same(found.history, expected.history);
  fake::expect_same(found.stages, expected.stages);
  ASSERT_EQ(found.tables.size(), expected.tables.size());
  for (size_t t = 0; t < found.tables.size(); ++t) {
    EXPECT_EQ(found.tables[t].rows, expected.tables[t].rows) << found.tables[t].key;
  }
}

class EveryMethod : public testing::TestWithParam<Case> {};

TEST_P(EveryMethod, stopped_after_any_stage_or_step_goes_on_to_the_same_bits) {
  Fixture fixture;
  fixture.open(net());
  const Ran whole = ran(fixture, GetParam());
  ASSERT_GT(whole.steps, 5);
  for (const Numbers numbers : {Numbers::kept, Numbers::shuffled}) {
    SCOPED_TRACE(numbers == Numbers::kept ? "numbers kept" : "numbers shuffled");
    for (int64_t stages = 1; stages <= std::ssize(whole.stages); ++stages) {
      SCOPED_TRACE("stopped after stage " + std::to_string(stages));
      expect_same(resumed(GetParam(), {.stages = stages}, numbers), whole);
    }
    for (int64_t steps = 1; steps <= whole.steps; ++steps) {
      SCOPED_TRACE("stopped after step " + std::to_string(steps));
      expect_same(resumed(GetParam(), {.steps = steps}, numbers), whole);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, EveryMethod, testing::ValuesIn(kCases),
                         [](const auto& method) { return std::string(method.param.name); });

}  // namespace
}  // namespace coppice
