// What a session asks of the outputs of a model, and what it says of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"
#include "training/objective.h"

namespace coppice {
namespace {

using fake::Fixture, fake::message_of;
using Labels = TrainingSetup::Labels;

// The net of fake_session.h up to its scores 'y', then `end`.
Graph net(const std::string& end) {
  const std::string whole = fake::kNet;
  return parse_text_graph(whole.substr(0, whole.find("output y")) + "\n" + end);
}

Objective asked(const std::string& end, int64_t classes = 3) {
  const auto dataset = fake::images(classes);
  const Preprocessing preprocessing = parse_preprocessing("scale=1/255");
  std::vector<int64_t> indices(30);
  std::iota(indices.begin(), indices.end(), 0);
  return objective_of(net(end), {*dataset, preprocessing, indices});
}

constexpr char kPieces[] =
    "opset 12\ne = Exp(y)\ns = ReduceSum(e) {axes=[1], keepdims=1}\nz = Div(e, s)\n";

TEST(Objective, of_plain_scores_needs_no_remark) {
  for (const char* end : {"output y", "z = Softmax(y)\noutput z", "z = Relu(y)\noutput z"}) {
    const Objective objective = asked(end);
    EXPECT_EQ(objective.classes, 3) << end;
    EXPECT_EQ(objective.labels, Labels::used);
    EXPECT_TRUE(objective.remarks.empty()) << end;
  }
}

TEST(Objective, of_a_softmax_in_pieces_is_found_in_the_outputs_and_said) {
  const Objective objective = asked(kPieces + std::string("output z"));
  EXPECT_EQ(objective.scores, ScoreKind::probabilities);
  ASSERT_EQ(objective.remarks.size(), 1u);
  EXPECT_EQ(objective.remarks[0],
            "output 'z' holds probabilities of the classes: losses take its logarithm");
}

TEST(Objective, of_a_sigmoid_is_said) {
  for (const char* end :
       {"z = Sigmoid(y)\noutput z", "s = Sigmoid(y)\nz = Cast(s) {to=1}\noutput z"}) {
    const Objective objective = asked(end);
    EXPECT_EQ(objective.scores, ScoreKind::chances);
    ASSERT_EQ(objective.remarks.size(), 1u);
    EXPECT_NE(objective.remarks[0].find("binary cross entropies"), std::string::npos);
  }
}

TEST(Objective, scores_of_other_classes_than_the_labels_are_followed_as_scores) {
  for (const std::string& end :
       {std::string("z = Softmax(y)\noutput z"), kPieces + std::string("output z")}) {
    const Objective objective = asked(end, 5);
    EXPECT_EQ(objective.classes, 3);
    EXPECT_EQ(objective.labels, Labels::unused);
    ASSERT_FALSE(objective.remarks.empty());
    EXPECT_EQ(objective.remarks.back(),
              "the images' labels aren't of the 3 classes of output 'z': its scores follow the "
              "original's, as scores");
  }
  EXPECT_EQ(asked("output y", 5).classes, 0) << "numbers of some other kind, perhaps";
}

TEST(Objective, outputs_that_cannot_be_followed_are_named_and_left) {
  const Objective objective = asked(
      "const best int64 [1] = 5\nt = Tanh(y)\nk = NonMaxSuppression(t, y, best)\n"
      "output y t\noutput k int64");
  EXPECT_EQ(objective.others, std::vector<std::string>{"t"});
  ASSERT_EQ(objective.remarks.size(), 1u);
  EXPECT_EQ(objective.remarks[0],
            "output 'k' is behind node 'k' (NonMaxSuppression), which chooses rows by what is in "
            "them; it isn't followed");
}

TEST(Objective, a_model_none_of_whose_outputs_can_be_followed_is_refused_with_what_to_do) {
  EXPECT_EQ(message_of(ErrorKind::input,
                       [] {
                         asked(
                             "const best int64 [1] = 5\nk = NonMaxSuppression(y, y, best)\n"
                             "i = Gather(y, k)\noutput k int64\noutput i");
                       }),
            "output 'k' is behind node 'k' (NonMaxSuppression), which chooses rows by what is in "
            "them, so there is nothing to train it by; export the model without "
            "NonMaxSuppression");
}

TEST(Objective, labels_of_an_output_without_gradient_are_refused_though_another_has_one) {
  EXPECT_EQ(message_of(ErrorKind::input, [] { asked("z = Round(y)\noutput z y"); }),
            "output 'z' is behind node 'z' (Round), through which no gradient comes, so there is "
            "nothing to train it by; export the model without Round");
}

void train(Session& session, double distillation, LossOptions::Others others) {
  Recipe recipe = fake::recipe(1);
  recipe.loss.distillation = distillation;
  recipe.loss.others = others;
  session.stage("training", [&] { session.train(recipe); });
}

TEST(Objective, a_second_output_is_taught_by_the_original_though_labels_alone_are_wanted) {
  Fixture fixture;
  Session& session = fixture.open(net("t = Tanh(y)\noutput y t"));
  train(session, 0, LossOptions::Others::follow);
  EXPECT_EQ(fixture.trainer.setup.teacher, &session.original());
  EXPECT_EQ(fixture.watcher.remarks.back(),
            "no labels speak of output 't': kept near to the original's, at a weight of 1");
  train(session, 0, LossOptions::Others::follow);
  EXPECT_EQ(fixture.watcher.remarks.size(), 2u) << "said once";
}

TEST(Objective, a_second_output_of_an_untrained_net_is_warned_of) {
  Fixture fixture;
  train(fixture.open(net("t = Tanh(y)\noutput y t")), 0, LossOptions::Others::leave);
  EXPECT_EQ(fixture.trainer.setup.teacher, nullptr);
  EXPECT_EQ(fixture.watcher.remarks.back(),
            "no labels speak of output 't', and its original is untrained: what it gives will mean "
            "nothing");
}

TEST(Objective, says_how_many_parameters_are_trained) {
  Fixture fixture;
  train(fixture.open(net("output y")), 0, LossOptions::Others::follow);
  EXPECT_EQ(fixture.watcher.remarks, std::vector<std::string>{"trains 68 of 68 parameters"});
}

TEST(Objective, a_quantised_model_is_refused_before_anything_is_trained) {
  Fixture fixture;
  Session& session = fixture.open(parse_text_graph(R"(
    input x float32 [N, 1, 4, 4]
    const q int8 [3, 16] zeros
    const scale float32 [] = 0.1
    const b float32 [3] random
    w = DequantizeLinear(q, scale)
    f = Flatten(x)
    y = Gemm(f, w, b) {transB=1}
    output y)"));
  EXPECT_NE(message_of(ErrorKind::input, [&] { train(session, 0, LossOptions::Others::follow); })
                .find("only 0 of 48 weights of the model's layers can be trained"),
            std::string::npos);
  EXPECT_EQ(fixture.watcher.steps, 0);
}

}  // namespace
}  // namespace coppice
