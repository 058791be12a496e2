// RigL under a fake trainer: as many weights in every layer at every moment, what grows is what the
// gradients of the update say, and what grows at random or doesn't.
#include "methods/sparse_training/rigl.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/sparse_training/regrow.h"
#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

using fake::Fixture;
using Growth = RiglOptions::Growth;

constexpr char kNet[] = R"(
    input x float32 [N, 1, 4, 4]
    const w1 float32 [8, 1, 3, 3] random
    const w2 float32 [9, 8, 1, 1] random
    const fw float32 [3, 9] random
    const fb float32 [3] random
    a = Conv(x, w1) {pads=[1, 1, 1, 1]}
    r = Relu(a)
    c = Conv(r, w2)
    g = GlobalAveragePool(c)
    f = Flatten(g)
    y = Gemm(f, fw, fb) {transB=1}
    output y)";

RiglOptions options(Growth growth) {
  return {.sparsity = 0.5, .growth = growth, .fraction = 0.5, .every = 2, .until = 0.7, .seed = 5};
}

std::map<std::string, int64_t> counts_of(const Masks& masks) {
  std::map<std::string, int64_t> counts;
  for (const auto& [name, mask] : masks) {
    counts[name] = std::ranges::count(mask.as<float>(), 1.0f);
  }
  return counts;
}

struct Ran {
  Fixture fixture;
  std::vector<Masks> masks;   // after each update
  std::vector<Graph> graphs;  // as the update left it, before the masks changed
  Outcome outcome;
};

std::unique_ptr<Ran> ran(const RiglOptions& how, int64_t epochs = 4) {
  auto run = std::make_unique<Ran>();
  Session& session = run->fixture.open(parse_text_graph(kNet));
  run->fixture.watcher.after_step = [&run, &session] {
    run->masks.push_back(session.masks());
    Graph graph = session.graph();
    OptimizerState state;
    run->fixture.trainer.store(graph, state);
    run->graphs.push_back(std::move(graph));
  };
  run->outcome = train_sparse(session, how, fake::recipe(epochs));
  return run;
}

// 72, 72 and 27 weights, 86 stay: eps = 86 / (15 + 19 + 12), of 12 eps = 22.4 etc.
TEST(Rigl, begins_with_random_masks_of_exact_counts) {
  const Graph graph = parse_text_graph(kNet);
  const Masks erk = random_masks(graph, options(Growth::gradient));
  const std::vector<int64_t> counts =
      erk_counts(std::vector<Shape>{{8, 1, 3, 3}, {9, 8, 1, 1}, {3, 9}}, 0.5);
  EXPECT_EQ(counts_of(erk), (std::map<std::string, int64_t>{
                                {"w1", counts[0]}, {"w2", counts[1]}, {"fw", counts[2]}}));
  RiglOptions uniform = options(Growth::none);
  uniform.densities = Densities::uniform;
  EXPECT_EQ(counts_of(random_masks(graph, uniform)),
            (std::map<std::string, int64_t>{{"w1", 72}, {"w2", 36}, {"fw", 14}}))
      << "a first convolution stays dense";
  uniform.keep = {"^w1$"};
  EXPECT_EQ(counts_of(random_masks(graph, uniform)),
            (std::map<std::string, int64_t>{{"w2", 36}, {"fw", 14}}));
  uniform.seed = 6;
  EXPECT_NE(random_masks(graph, uniform).at("w2"), erk.at("w2"));
}

// 12 updates; masks change after 2, 4 and 6, and at the last, 8, the share to change is 0.
TEST(Rigl, has_the_same_number_of_weights_in_a_layer_at_every_update) {
  for (const Growth growth : {Growth::gradient, Growth::random, Growth::none}) {
    const auto run = ran(options(growth));
    ASSERT_EQ(run->masks.size(), 12u);
    const auto counts = counts_of(random_masks(parse_text_graph(kNet), options(growth)));
    for (size_t update = 1; update <= 12; ++update) {
      EXPECT_EQ(counts_of(run->masks[update - 1]), counts) << update;
      if (update == 1) continue;
      const bool changed = run->masks[update - 1] != run->masks[update - 2];
      EXPECT_EQ(changed, growth != Growth::none && update % 2 == 0 && update < 8) << update;
    }
    EXPECT_EQ(run->outcome.plan.masks, run->masks.back());
    EXPECT_EQ(run->outcome.plan.method, "rigl");
  }
}

// The "gradients" of a fake step are sines of a signal that its evidence tells.
TEST(Rigl, grows_where_the_gradients_of_the_very_update_are_largest) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(kNet));
  const RiglOptions how = options(Growth::gradient);
  std::vector<std::vector<double>> promises;  // of w2, by change
  std::vector<Masks> after;
  // The same training, looked at by evidence at the same updates.
  TrainHooks hooks;
  hooks.due = [](int64_t update) { return update == 2; };
  const EvidenceRequest request{"w2", Reduction::weight_gradients};
  hooks.requests = [&] { return std::vector<EvidenceRequest>{request}; };
  hooks.evidence = [&](const Evidence& evidence) {
    for (const float g : evidence.at(request).as<float>()) {
      if (promises.empty()) promises.emplace_back();
      promises.back().push_back(std::fabs(g));
    }
  };
  Tensor expected;
  hooks.after_update = [&](int64_t) {
    const Tensor& mask = session.masks().at("w2");
    const auto active = static_cast<double>(std::ranges::count(mask.as<float>(), 1.0f));
    const DropSchedule schedule{.fraction = 0.5, .every = 2, .last = 8};
    expected = regrow(mask, fake::tensor(session.graph(), "w2"), promises.back(),
                      static_cast<int64_t>(schedule.share(2) * active))
                   .mask;
  };
  session.stage("masking", [&] { session.set_masks(random_masks(session.original(), how)); });
  session.stage("sparse training", [&] { session.train(fake::recipe(4), hooks); });
  EXPECT_EQ(ran(how)->masks[1].at("w2"), expected);
}

TEST(Rigl, lets_weights_grow_from_zero_without_momentum) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(kNet));
  Masks before;
  int64_t grown = 0;
  fixture.watcher.after_step = [&] {
    if (fixture.watcher.steps == 2) {
      for (const auto& [name, mask] : session.masks()) {
        const Tensor& momentum = fixture.trainer.loaded.slots.at("momentum").at(name);
        for (int64_t i = 0; i < mask.size(); ++i) {
          if (mask.as<float>()[i] != 1 || before.at(name).as<float>()[i] != 0) continue;
          ++grown;
          EXPECT_EQ(fake::tensor(session.graph(), name).as<float>()[i], 0);
          EXPECT_EQ(momentum.as<float>()[i], 0);
        }
      }
    }
    before = session.masks();
  };
  train_sparse(session, options(Growth::gradient), fake::recipe(2));
  EXPECT_GT(grown, 0);
}

TEST(Rigl, puts_density_and_what_grew_on_record) {
  const auto run = ran(options(Growth::random));
  const std::vector<EpochRecord>& history = run->fixture.opened->history();
  ASSERT_EQ(history.size(), 4u);
  for (const EpochRecord& epoch : history) {
    ASSERT_EQ(epoch.facts.size(), 3u);
    EXPECT_EQ(epoch.facts[0].first, "density");
    EXPECT_NEAR(epoch.facts[0].second, 86.0 / 171, 1e-12);
    EXPECT_EQ(epoch.facts[1].first, "drop_fraction");
    EXPECT_EQ(epoch.facts[2].first, "grown_weights");
  }
  EXPECT_NEAR(history.back().facts[1].second, 0, 1e-12);
  EXPECT_LE(history[0].facts[2].second, history[3].facts[2].second);
  EXPECT_GT(history[0].facts[2].second, 0);
}

TEST(Rigl, says_where_masks_would_never_change_and_what_goes_with_none_of_it) {
  const Method& method = find_method("rigl");
  const auto set = [&](std::map<std::string, std::string> given) {
    Settings settings(options_of(method));
    for (const OptionUse& use : method.options) {
      const auto found = given.find(use.option->name());
      if (found != given.end()) settings.set(*use.option, found->second);
    }
    method.settle(settings);
    return settings;
  };
  const std::string message = fake::message_of(ErrorKind::usage, [&] {
    set({{"growth", "none"}, {"drop-fraction", "0.2"}});
  });
  EXPECT_NE(message.find("--drop-fraction"), std::string::npos) << message;
  std::vector<std::string> warnings;
  Fixture fixture;
  const Settings settings = set({{"mask-every", "50"}});
  method.train(
      fixture.open(parse_text_graph(kNet)), fake::recipe(2),
      {.settings = settings, .warn = [&](const std::string& text) { warnings.push_back(text); }});
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("after 50 updates"), std::string::npos) << warnings[0];
}

TEST(Rigl, refuses_a_model_whose_own_zeros_are_to_stay) {
  Graph sparse = parse_text_graph(kNet);
  const std::span<float> weights =
      sparse.value(*find_value(sparse, "w1")).constant->mutate<float>();
  std::fill_n(weights.begin(), 50, 0.0f);
  Fixture fixture;
  Session& session = fixture.open(sparse);
  const std::string message = fake::message_of(
      ErrorKind::usage, [&] { train_sparse(session, options(Growth::gradient), fake::recipe(1)); });
  EXPECT_NE(message.find("its zeros are to stay"), std::string::npos) << message;
  Fixture free;
  Session& freed = free.open(sparse, {.zeros = SessionOptions::Zeros::free});
  EXPECT_NO_THROW(train_sparse(freed, options(Growth::gradient), fake::recipe(1)));
}

}  // namespace
}  // namespace coppice
