// Accuracy and loss against numbers worked out by hand, and why a model is no classifier.
#include "training/judging/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

// Sums of some exponentials in double.
constexpr double kRounding = 1e-12;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Image i, which is known by its first pixel, is given scores[i]; its label is i % classes.
Evaluation judged(const std::vector<std::vector<float>>& scores, EvaluationJob job = {}) {
  const auto count = static_cast<int64_t>(scores.size());
  const auto classes = static_cast<int64_t>(scores.front().size());
  const auto dataset = fake::images(classes, count);
  if (job.indices.empty()) {
    job.indices.resize(count);
    std::iota(job.indices.begin(), job.indices.end(), 0);
  }
  job.input = {1, 4, 4};
  return evaluate(
      [&](const Tensor& images) {
        Tensor outputs = Tensor::zeros(DType::f32, {images.shape()[0], classes});
        for (int64_t i = 0; i < images.shape()[0]; ++i) {
          const auto image = static_cast<int64_t>(images.as<float>()[i * 16]) - 1;
          if (image < 0) continue;  // padding
          std::ranges::copy(scores[image], outputs.mutate<float>().begin() + i * classes);
        }
        return outputs;
      },
      *dataset, job);
}

TEST(Evaluation, top1_top5_and_loss_are_the_ones_by_hand) {
  // The label's place: 1st, 2nd, 5th, 6th, 7th.
  const Evaluation found = judged({{9, 1, 2, 3, 4, 5, 6},
                                   {1, 5, 2, 3, 4, 0, 6},
                                   {1, 2, 3, 4, 5, 6, 7},
                                   {7, 6, 5, 2, 4, 3, 1},
                                   {7, 6, 5, 4, 1, 3, 2}});
  EXPECT_EQ(found.images, 5);
  EXPECT_EQ(found.top1, 1.0 / 5);
  EXPECT_EQ(found.top5, 3.0 / 5);
}

TEST(Evaluation, the_loss_is_the_mean_negative_log_likelihood_of_the_labels) {
  const float third = std::log(3.0f);
  const Evaluation found = judged({{0, third}, {0, third}});
  EXPECT_NEAR(found.loss, (std::log(4.0) + std::log(4.0 / 3)) / 2, 1e-7);  // third is a float
  EXPECT_NEAR(judged({{5, 5, 5, 5}}).loss, std::log(4.0), kRounding);
}

TEST(Evaluation, outputs_too_large_for_an_exponential_have_a_loss_all_the_same) {
  EXPECT_NEAR(judged({{-1e30f, 1e30f}}).loss, 2e30, 1e24);  // of a float's precision
  EXPECT_EQ(judged({{1e30f, -1e30f}}).loss, 0);
  EXPECT_EQ(judged({{1000, -HUGE_VALF}}).loss, 0);
  EXPECT_EQ(judged({{-HUGE_VALF, 3}}).loss, HUGE_VAL);
}

ScoreForm form(ScoreKind scores) { return {.range = {}, .certain = scores, .logits = kNoValue}; }

TEST(Evaluation, of_probabilities_the_loss_is_minus_the_logarithm_of_the_labels_own) {
  EvaluationJob job{.form = form(ScoreKind::probabilities)};
  const Evaluation found = judged({{0.25f, 0.75f}, {0.5f, 0.5f}}, job);
  EXPECT_NEAR(found.loss, (std::log(4.0) + std::log(2.0)) / 2, kRounding);
  EXPECT_EQ(found.scores, ScoreKind::probabilities);
  EXPECT_NEAR(judged({{25, 75}, {50, 50}}, job).loss, found.loss, kRounding) << "in percent";
  EXPECT_NEAR(judged({{0, 1}}, job).loss, -std::log(kLeastProbability), kRounding);
}

TEST(Evaluation, of_chances_the_loss_is_the_binary_cross_entropy_of_all_classes) {
  const Evaluation found = judged({{0.5f, 0.25f}}, {.form = form(ScoreKind::chances)});
  EXPECT_NEAR(found.loss, std::log(2.0) - std::log(0.75), kRounding);
  EXPECT_TRUE(std::isfinite(judged({{0, 1}}, {.form = form(ScoreKind::chances)}).loss));
}

TEST(Evaluation, the_first_batch_tells_probabilities_from_other_numbers_above_0) {
  const EvaluationJob job{.batch = 2, .form = {.range = {0, HUGE_VAL}}};
  EXPECT_EQ(judged({{0.25f, 0.75f}, {0.5f, 0.5f}, {1, 0}}, job).scores, ScoreKind::probabilities);
  EXPECT_EQ(judged({{0.25f, 1.75f}, {0.5f, 0.5f}, {1, 0}}, job).scores, ScoreKind::logits);
}

TEST(Evaluation, of_equal_outputs_the_first_comes_first) {
  const std::vector<std::vector<float>> equal(7, std::vector<float>(7, 0.5f));
  const Evaluation found = judged(equal);  // each label once
  EXPECT_EQ(found.top1, 1.0 / 7);
  EXPECT_EQ(found.top5, 5.0 / 7);
}

TEST(Evaluation, a_image_with_a_nan_anywhere_is_wrong) {
  const Evaluation found = judged({{9, kNan}, {0, 9}, {kNan, kNan}, {kNan, 9}});
  EXPECT_EQ(found.top1, 1.0 / 4);
  EXPECT_EQ(found.top5, 1.0 / 4);
  EXPECT_TRUE(std::isnan(found.loss));
}

TEST(Evaluation, chances_in_percent_have_the_loss_of_chances) {
  EvaluationJob job;
  job.form.certain = ScoreKind::chances;
  const Evaluation shares = judged({{0.9f, 0.2f}, {0.3f, 1}}, job);
  job.form.scale = 100;
  const Evaluation percent = judged({{90, 20}, {30, 100}}, job);
  EXPECT_EQ(percent.scores, ScoreKind::chances);
  EXPECT_NEAR(percent.loss, shares.loss, 1e-6);
  EXPECT_NEAR(percent.loss, -(std::log(0.9) + std::log(0.8) + std::log(0.7)) / 2, 1e-6);
}

TEST(Evaluation, every_images_guess_is_kept_where_it_is_wanted) {
  std::vector<Guess> guesses;
  EvaluationJob job{.batch = 2};
  job.guesses = &guesses;
  judged({{9, 2}, {0, 9}, {kNan, 2}, {4, 4}}, job);
  ASSERT_EQ(guesses.size(), 4u);
  const int64_t outputs[] = {0, 1, -1, 0};
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(guesses[i].label, i % 2);
    EXPECT_EQ(guesses[i].output, outputs[i]) << i;
  }
}

TEST(Evaluation, with_fewer_than_five_classes_every_image_is_among_the_best_five) {
  EXPECT_EQ(judged({{0, 1, 2}, {1, 0, 2}, {2, 1, 0}}).top5, 1);
}

std::vector<std::vector<float>> some_scores(int64_t count) {
  std::vector<std::vector<float>> scores(count, std::vector<float>(6));
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < 6; ++c) scores[i][c] = static_cast<float>(std::sin(7 * i + 5 * c));
  }
  return scores;
}

TEST(Evaluation, whatever_the_batch_and_its_last_part_the_result_is_the_same) {
  const auto scores = some_scores(23);
  const Evaluation whole = judged(scores, {.indices = {}, .batch = 23});
  EXPECT_GT(whole.top1, 0);
  EXPECT_LT(whole.top5, 1);
  for (const LastBatch last : {LastBatch::padded, LastBatch::smaller}) {
    for (const int64_t batch : {1, 4, 22, 100}) {
      SCOPED_TRACE(batch);
      Evaluation found = judged(scores, {.indices = {}, .batch = batch, .last_batch = last});
      EXPECT_EQ(found.batch, batch);
      found.batch = whole.batch;
      fake::expect_same(found, whole);
    }
  }
}

TEST(Evaluation, a_padded_batch_is_whole_and_a_smaller_one_is_not) {
  const auto dataset = fake::images(3, 7);
  for (const LastBatch last : {LastBatch::padded, LastBatch::smaller}) {
    std::vector<int64_t> batches;
    evaluate(
        [&](const Tensor& images) {
          batches.push_back(images.shape()[0]);
          return Tensor::zeros(DType::f32, {images.shape()[0], 3});
        },
        *dataset,
        {.indices = {0, 1, 2, 3, 4, 5, 6}, .batch = 4, .input = {1, 4, 4}, .last_batch = last});
    EXPECT_EQ(batches, (std::vector<int64_t>{4, last == LastBatch::padded ? 4 : 3}));
  }
}

TEST(Evaluation, only_the_images_asked_for_count) {
  const auto scores = some_scores(10);
  const Evaluation found = judged(scores, {.indices = {3, 8}, .batch = 2});
  EXPECT_EQ(found.images, 2);
  const Evaluation one = judged(scores, {.indices = {3}}), other = judged(scores, {.indices = {8}});
  EXPECT_NEAR(found.loss, (one.loss + other.loss) / 2, kRounding);
}

TEST(Evaluation, who_watches_sees_every_batch_and_may_stop_it) {
  std::vector<int64_t> images;
  EvaluationJob job{.batch = 4};
  job.after_batch = [&](const Evaluation& so_far) { images.push_back(so_far.images); };
  judged(some_scores(10), job);
  EXPECT_EQ(images, (std::vector<int64_t>{4, 8, 10}));
  job.after_batch = [](const Evaluation&) { throw Error(ErrorKind::interrupted, "stop"); };
  EXPECT_EQ(fake::message_of(ErrorKind::interrupted, [&] { judged(some_scores(10), job); }),
            "stop");
}

TEST(Evaluation, outputs_that_are_not_scores_of_every_image_are_refused) {
  const auto dataset = fake::images(3, 6);
  for (const Shape& shape : {Shape{5, 3}, Shape{6, 2}, Shape{1, 0}}) {
    EXPECT_NE(fake::message_of(
                  ErrorKind::input,
                  [&] {
                    evaluate([&](const Tensor&) { return Tensor::zeros(DType::f32, shape); },
                             *dataset,
                             {.indices = {0, 1, 2, 3, 4, 5}, .batch = 6, .input = {1, 4, 4}});
                  })
                  .find("expected a score for each class of 6 images"),
              std::string::npos)
        << to_string(shape);
  }
}

std::string why_not(const std::string& text, int64_t classes = 3) {
  return why_not_classifier(parse_text_graph(text), *fake::images(classes))
      .value_or("(a classifier)");
}

TEST(WhyNotClassifier, as_many_scores_as_classes_make_one) {
  EXPECT_EQ(why_not(fake::kNet), "(a classifier)");
  EXPECT_EQ(why_not("input x float32 [N, 3, 1, 1]\n y = Relu(x)\n output y"), "(a classifier)");
  EXPECT_NO_THROW(require_classifier(parse_text_graph(fake::kNet), *fake::images()));
}

TEST(WhyNotClassifier, another_number_of_scores_is_told_with_both_numbers) {
  EXPECT_EQ(why_not(fake::kNet, 10),
            "the model has 3 outputs, data set 'tiny' has 10 classes; they must be as many");
  EXPECT_EQ(why_not(fake::kNet, 2),
            "the model has 3 outputs, data set 'tiny' has 2 classes; they must be as many (does "
            "the model begin with a background class? --label-offset 1)");
  EXPECT_EQ(
      fake::message_of(ErrorKind::input,
                       [] { require_classifier(parse_text_graph(fake::kNet), *fake::images(10)); }),
      why_not(fake::kNet, 10));
}

std::unique_ptr<Dataset> labelled(const std::string& name, const std::vector<int64_t>& labels) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(labels.size());
  MemoryImages all;
  all.name = name;
  all.classes = *std::ranges::max_element(labels) + 1;
  all.shape = {1, 1, 1};
  all.labels = labels;
  all.parts.push_back({bytes, std::span(*bytes), 1, std::ssize(labels)});
  return make_memory_dataset(std::move(all));
}

std::string why_not(int64_t outputs, std::unique_ptr<Dataset> dataset) {
  const Graph graph = parse_text_graph("input x float32 [N, " + std::to_string(outputs) +
                                       "]\n y = Relu(x)\n output y");
  return why_not_classifier(graph, *dataset).value_or("(a classifier)");
}

TEST(WhyNotClassifier, an_offset_is_proposed_where_labels_seem_to_be_counted_otherwise) {
  const auto hint = [](int64_t outputs, const std::string& name,
                       const std::vector<int64_t>& labels) {
    const std::string text = why_not(outputs, labelled(name, labels));
    const size_t bracket = text.find(" (");
    return bracket == std::string::npos ? text : text.substr(bracket + 1);
  };
  EXPECT_EQ(hint(3, "npy", {1, 2, 3}), "(are labels counted from 1? --label-offset -1)");
  EXPECT_EQ(hint(3, "npy", {0, 2, 3}),
            "the model has 3 outputs, data set 'npy' has 4 classes; they must be as many");
  EXPECT_EQ(hint(4, "images", {0, 1, 2}),
            "(does the model begin with a background class? --label-offset 1)");
  EXPECT_EQ(hint(4, "npy", {0, 1, 2}),
            "(does the model begin with a background class? --label-offset 1; does the last class "
            "just not occur? --label-offset 0)");
}

TEST(WhyNotClassifier, labels_said_to_be_class_indices_need_only_be_within_the_model) {
  const auto shifted = [](int64_t offset) {
    return shift_labels(labelled("npy", {1, 2, 3}), offset);
  };
  EXPECT_EQ(why_not(3, shifted(-1)), "(a classifier)");
  EXPECT_EQ(why_not(5, shifted(1)), "(a classifier)");
  EXPECT_EQ(why_not(5, shifted(0)), "(a classifier)");
  EXPECT_EQ(why_not(100, shifted(1)), "(a classifier)");
  EXPECT_EQ(why_not(4, shifted(1)),
            "the model has 4 outputs, labels of data set 'npy' shifted by 1 go up to 4, expected "
            "classes 0 to 3; give another --label-offset");
}

TEST(RequireTargets, labels_that_do_not_fit_need_a_teacher_alone_and_for_scores_the_users_word) {
  const auto refusal = [](const std::string& text, std::optional<double> distillation) {
    return fake::message_of(ErrorKind::input, [&] {
      require_targets(parse_text_graph(text), *fake::images(), distillation);
    });
  };
  const std::string ten =
      "input x float32 [N, 10]\n const w float32 [10, 10] random\n y = MatMul(x, w)\n output y";
  const std::string boxes =
      "input x float32 [N, 3, 2, 2]\n const w float32 [2, 2] random\n y = MatMul(x, w)\n output y";
  EXPECT_EQ(refusal(fake::kNet, {}), "(no error)");
  EXPECT_EQ(refusal(fake::kNet, 0.5), "(no error)");
  EXPECT_NE(refusal(ten, {}).find("has 3 classes"), std::string::npos);
  EXPECT_NE(refusal(ten, 0.9).find("has 3 classes"), std::string::npos);
  EXPECT_EQ(refusal(ten, 1), "(no error)");
  EXPECT_EQ(refusal(boxes, {}), "(no error)");
  EXPECT_NE(refusal(boxes, 0.5).find("expected float32 [N, classes]"), std::string::npos);
}

// Following outputs helps nothing where no gradient comes from them.
TEST(RequireTargets, outputs_that_cannot_be_followed_are_told_with_what_to_export_without) {
  const std::string net =
      "input x float32 [N, 10]\n const w float32 [10, 10] random\n h = MatMul(x, w)\n"
      "y = ArgMax(h) {axis=1, keepdims=0}\n output y int64";
  const std::string text = fake::message_of(
      ErrorKind::input, [&] { require_targets(parse_text_graph(net), *fake::images(), 0.5); });
  EXPECT_EQ(text.find("--distill"), std::string::npos) << text;
  EXPECT_NE(text.find("export the model without ArgMax"), std::string::npos) << text;
}

TEST(ScoresOf, are_the_models_own_whatever_the_labels_are) {
  EXPECT_EQ(scores_of(parse_text_graph(fake::kNet)), 3);
  EXPECT_EQ(scores_of(parse_text_graph("input x float32 [N, 3, 1, 1]\n y = Relu(x)\n output y")),
            3);
  EXPECT_EQ(scores_of(parse_text_graph("input x float32 [N, 3, 2, 2]\n y = Relu(x)\n output y")),
            0);
  EXPECT_EQ(scores_of(parse_text_graph("input x int64 [N, 3]\n y = Identity(x)\n output y int64")),
            0);
}

TEST(WhyNotClassifier, an_output_that_holds_no_scores_is_named_with_its_shape) {
  EXPECT_EQ(why_not("input x float32 [N, 3, 2, 2]\n y = Relu(x)\n output y"),
            "output 'y' is float32 1x3x2x2, expected float32 [N, classes]");
  EXPECT_EQ(why_not("input x float32 [N, 3]\n y = Cast(x) {to=7}\n output y int64"),
            "output 'y' is int64 1x3, expected float32 [N, classes]");
  EXPECT_EQ(why_not("input x float32 [4, 3]\n y = Transpose(x) {perm=[1, 0]}\n output y"),
            "output 'y' is float32 3x4, expected float32 [N, classes]");
  EXPECT_EQ(why_not("input x float32 [N, 3]\n y = Unknown(x)\n output y"),
            "output 'y': its shape can't be inferred");
}

TEST(WhyNotClassifier, a_model_that_images_cannot_be_fed_to_is_told_why) {
  EXPECT_EQ(why_not("input x float32 [N, 3]\n input z float32 [N, 3]\n y = Add(x, z)\n output y"),
            "the model has 2 inputs; images are fed to exactly one");
  EXPECT_EQ(why_not("input x int64 [N, 3]\n y = Identity(x)\n output y int64"),
            "input 'x' is int64, expected a batch of float32 images");
  EXPECT_EQ(why_not("input x float32 [N, 0]\n y = Relu(x)\n output y"),
            "input 'x' has shape 1x0, which holds no image");
  EXPECT_EQ(why_not("input x float32 [N, 3]\n y = Relu(x)"), "the model has no outputs");
}

TEST(FixedBatch, is_the_inputs_first_size_or_0_where_it_is_open) {
  EXPECT_EQ(fixed_batch(parse_text_graph(fake::kNet)), 0);
  EXPECT_EQ(fixed_batch(parse_text_graph("input x float32 [4, 3]\n y = Relu(x)\n output y")), 4);
  EXPECT_EQ(fixed_batch(parse_text_graph("input x float32\n y = Relu(x)\n output y")), 0);
}

}  // namespace
}  // namespace coppice
