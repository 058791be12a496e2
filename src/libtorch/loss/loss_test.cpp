// The losses against numbers computed here, in double, from their formulas.
#include "libtorch/loss/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/passes/fuse_batch_norm.h"
#include "libtorch/torch.h"
#include "runtime/reference.h"
#include "support/test_trainer.h"

namespace coppice::train {
namespace {

constexpr double kTolerance = 1e-12;      // of doubles
constexpr double kFloatTolerance = 1e-5;  // of a net's outputs

using Rows = std::vector<std::vector<double>>;

at::Tensor tensor(const Rows& rows) {
  std::vector<at::Tensor> made;
  for (const auto& row : rows) made.push_back(at::tensor(row, at::kDouble));
  return at::stack(made);
}
at::Tensor labels(const std::vector<int64_t>& of) { return at::tensor(of); }

std::vector<double> log_softmax(const std::vector<double>& row, double temperature) {
  double sum = 0;
  for (const double x : row) sum += std::exp(x / temperature);
  std::vector<double> result;
  for (const double x : row) result.push_back(x / temperature - std::log(sum));
  return result;
}

double cross_entropy(const Rows& rows, const std::vector<int64_t>& of, double smoothing) {
  double sum = 0;
  for (size_t n = 0; n < rows.size(); ++n) {
    const auto log_p = log_softmax(rows[n], 1);
    const auto classes = static_cast<double>(log_p.size());
    for (size_t k = 0; k < log_p.size(); ++k) {
      const bool hit = static_cast<int64_t>(k) == of[n];
      sum -= (smoothing / classes + (hit ? 1 - smoothing : 0)) * log_p[k];
    }
  }
  return sum / static_cast<double>(rows.size());
}

double divergence(const Rows& student, const Rows& teacher, double temperature) {
  double sum = 0;
  for (size_t n = 0; n < student.size(); ++n) {
    const auto log_s = log_softmax(student[n], temperature);
    const auto log_t = log_softmax(teacher[n], temperature);
    for (size_t k = 0; k < log_s.size(); ++k) {
      sum += std::exp(log_t[k]) * (log_t[k] - log_s[k]);
    }
  }
  return sum * temperature * temperature / static_cast<double>(student.size());
}

const Rows kStudent{{1, 2, 3}, {0, 0.5, -1}}, kTeacher{{2, 2, 4}, {-1, 0, 3}};

TEST(Loss, of_labels_is_the_cross_entropy_smoothed_over_all_classes) {
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    const double found =
        loss_of({tensor(kStudent)}, {labels({2, 0}), {}, 3}, {.label_smoothing = smoothing})
            .item<double>();
    EXPECT_NEAR(found, cross_entropy(kStudent, {2, 0}, smoothing), kTolerance) << smoothing;
  }
}

TEST(Loss, of_equal_scores_is_the_logarithm_of_the_classes) {
  const double found = loss_of({tensor({{5, 5}})}, {labels({1}), {}, 2}, {}).item<double>();
  EXPECT_NEAR(found, std::log(2.0), kTolerance);
}

TEST(Loss, of_a_teacher_is_the_divergence_at_the_temperature_times_its_square) {
  for (const double temperature : {1.0, 4.0}) {
    const double found = loss_of({tensor(kStudent)}, {labels({2, 0}), {tensor(kTeacher)}, 3},
                                 {.distillation = 1, .temperature = temperature})
                             .item<double>();
    EXPECT_NEAR(found, divergence(kStudent, kTeacher, temperature), kTolerance) << temperature;
  }
}

TEST(Loss, of_labels_may_be_of_logits_that_are_divided_by_a_temperature) {
  Rows divided = kStudent;
  for (auto& row : divided) {
    for (double& x : row) x /= 200;
  }
  const double found = loss_of({tensor(kStudent)}, {labels({2, 0}), {tensor(kTeacher)}, 3},
                               {.distillation = 0.5, .temperature = 2, .label_temperature = 200})
                           .item<double>();
  EXPECT_NEAR(found,
              0.5 * cross_entropy(divided, {2, 0}, 0) + 0.5 * divergence(kStudent, kTeacher, 2),
              kTolerance);
}

TEST(Loss, mixes_labels_and_teacher_by_their_shares) {
  const double found = loss_of({tensor(kStudent)}, {labels({2, 0}), {tensor(kTeacher)}, 3},
                               {.label_smoothing = 0.1, .distillation = 0.3, .temperature = 2})
                           .item<double>();
  EXPECT_NEAR(found,
              0.7 * cross_entropy(kStudent, {2, 0}, 0.1) + 0.3 * divergence(kStudent, kTeacher, 2),
              kTolerance);
}

TEST(Loss, of_probabilities_and_scaled_ones_is_that_of_the_logits_that_they_came_from) {
  const at::Tensor logits = tensor(kStudent), teacher = tensor(kTeacher);
  for (const double scale : {1.0, 100.0}) {
    const auto read = [&](const at::Tensor& of) {
      return logits_from(at::softmax(of, 1) * scale, ScoreKind::probabilities);
    };
    const LossOptions options{.label_smoothing = 0.1, .distillation = 0.4, .temperature = 3};
    const Targets plain{labels({2, 0}), {teacher}, 3};
    const Targets seen{labels({2, 0}), {read(teacher)}, 3, ScoreKind::probabilities};
    EXPECT_NEAR(loss_of({read(logits)}, seen, options).item<double>(),
                loss_of({logits}, plain, options).item<double>(), kTolerance)
        << scale;
  }
}

TEST(Loss, of_a_probability_of_zero_is_finite) {
  const at::Tensor read = logits_from(tensor({{1, 0}}), ScoreKind::probabilities);
  const double found =
      loss_of({read}, {labels({1}), {}, 2, ScoreKind::probabilities}, {}).item<double>();
  EXPECT_NEAR(found, -std::log(kLeastProbability), 1e-9);
}

double log_sigmoid(double x) { return -std::log1p(std::exp(-x)); }

TEST(Loss, of_chances_is_the_binary_cross_entropy_summed_over_the_classes) {
  for (const double smoothing : {0.0, 0.3}) {
    double expected = 0;
    for (size_t n = 0; n < kStudent.size(); ++n) {
      for (size_t k = 0; k < 3; ++k) {
        const double wanted = smoothing / 3 + (k == (n == 0 ? 2u : 0u) ? 1 - smoothing : 0);
        expected -=
            wanted * log_sigmoid(kStudent[n][k]) + (1 - wanted) * log_sigmoid(-kStudent[n][k]);
      }
    }
    const at::Tensor seen = logits_from(at::sigmoid(tensor(kStudent)), ScoreKind::chances);
    for (const at::Tensor& logits : {tensor(kStudent), seen}) {
      const double found = loss_of({logits}, {labels({2, 0}), {}, 3, ScoreKind::chances},
                                   {.label_smoothing = smoothing})
                               .item<double>();
      EXPECT_NEAR(found, expected / 2, 1e-9) << smoothing;
    }
  }
}

TEST(Loss, of_a_teachers_chances_is_the_divergence_of_each_class) {
  double expected = 0;
  for (size_t n = 0; n < kStudent.size(); ++n) {
    for (size_t k = 0; k < 3; ++k) {
      const double s = kStudent[n][k] / 2, t = kTeacher[n][k] / 2;
      for (const double sign : {1.0, -1.0}) {
        expected +=
            std::exp(log_sigmoid(sign * t)) * (log_sigmoid(sign * t) - log_sigmoid(sign * s));
      }
    }
  }
  const double found =
      loss_of({tensor(kStudent)}, {labels({2, 0}), {tensor(kTeacher)}, 3, ScoreKind::chances},
              {.distillation = 1, .temperature = 2})
          .item<double>();
  EXPECT_NEAR(found, expected * 4 / 2, kTolerance);
}

double followed(const at::Tensor& student, const at::Tensor& teacher) {
  return loss_of({student}, {{}, {teacher}, 0}, {.distillation = 1}).item<double>();
}

TEST(Loss, of_other_outputs_is_the_error_of_each_channel_in_its_own_deviations) {
  // Channel 0: errors 1 0, the teacher's 2 4 deviate by sqrt 2; channel 1: errors 0 40, its 10 90
  // have squares 1600 + 1600 over 1.
  const double found = followed(tensor({{1, 10}, {4, 50}}), tensor({{2, 10}, {4, 90}}));
  EXPECT_NEAR(found, (std::log1p(0.5 / 2) + std::log1p(800 / 3200.0)) / 2, kTolerance);
}

TEST(Loss, channels_are_the_last_axis_of_boxes_and_axis_1_of_images_and_transposed_boxes) {
  at::manual_seed(1);
  const at::Tensor teacher = at::randn({2, 3, 4, 5}, at::kDouble) *
                             at::tensor({1.0, 100.0, 1e4}, at::kDouble).reshape({1, 3, 1, 1});
  const at::Tensor student = teacher * 1.01;
  const double expected = followed(student, teacher);
  const auto boxes = [](const at::Tensor& x) { return x.reshape({2, 3, 20}); };
  EXPECT_NEAR(followed(boxes(student), boxes(teacher)), expected, kTolerance);
  EXPECT_NEAR(followed(boxes(student).transpose(1, 2), boxes(teacher).transpose(1, 2)), expected,
              kTolerance);
  const auto rows = [](const at::Tensor& x) { return x.movedim(1, 3).reshape({40, 3}); };
  EXPECT_NEAR(followed(rows(student), rows(teacher)), expected, kTolerance);
}

TEST(Loss, of_scores_beside_pixels_weighs_an_error_in_either_alike) {
  at::manual_seed(1);
  const at::Tensor scale =
      at::tensor({640.0, 640.0, 640.0, 640.0, 1.0}, at::kDouble).reshape({1, 1, 5});
  const at::Tensor teacher = at::rand({40, 50, 5}, at::kDouble) * scale;
  const auto off = [&](int64_t channel) {
    at::Tensor student = teacher.clone();
    student.select(2, channel).add_(scale.flatten()[channel] * 0.1);
    return followed(student, teacher);
  };
  EXPECT_GT(off(4), 0.02);  // a tenth of 0.29, squared, is 0.12, of five channels
  EXPECT_NEAR(off(4) / off(0), 1, 0.1);
}

TEST(Loss, a_constant_channel_does_not_drown_the_others) {
  at::manual_seed(1);
  at::Tensor teacher = at::randn({8, 4, 5, 5}, at::kDouble);
  const double usual = followed(teacher + 0.5, teacher);
  for (const double constant : {0.0, 1.0, 1e4}) {
    teacher.select(1, 2).fill_(constant);
    const double found = followed(teacher + 0.5, teacher);
    EXPECT_TRUE(std::isfinite(found));
    EXPECT_LT(found, usual + std::log1p(0.25 / 1e-6) / 4) << constant;
    EXPECT_EQ(followed(teacher, teacher), 0) << constant;
  }
}

TEST(Loss, of_nothing_but_zeros_is_the_plain_error) {
  EXPECT_NEAR(followed(tensor({{1, 2}}), tensor({{0, 0}})), std::log1p(2.5), kTolerance);
  EXPECT_NEAR(followed(tensor({{3}}), tensor({{0}})), std::log1p(9.0), kTolerance);
}

TEST(Loss, follows_the_other_outputs_at_a_weight_of_one_whatever_the_share_of_the_teacher) {
  const at::Tensor other = tensor({{1, 3}}), expected = tensor({{0, 0}});
  const double error = followed(other, expected);
  for (const double share : {0.0, 0.3, 1.0}) {
    const LossOptions options{.distillation = share, .temperature = 1};
    const Targets alone{labels({2, 0}), {tensor(kTeacher)}, 3};
    Targets beside = alone;
    beside.teacher.push_back(expected);
    const double without = loss_of({tensor(kStudent)}, alone, options).item<double>();
    EXPECT_NEAR(loss_of({tensor(kStudent), other}, beside, options).item<double>(), without + error,
                kTolerance);
    beside.teacher.push_back(expected);  // two of them weigh no more
    EXPECT_NEAR(loss_of({tensor(kStudent), other, other}, beside, options).item<double>(),
                without + error, kTolerance);
  }
}

TEST(Loss, without_scores_is_the_mean_over_the_outputs_that_are_followed) {
  const at::Tensor one = tensor({{1, 3}}), two = tensor({{2, 5}}), zeros = tensor({{0, 0}});
  const double found =
      loss_of({one, two, {}}, {{}, {zeros, zeros, {}}, 0}, {.distillation = 1}).item<double>();
  EXPECT_NEAR(found, (followed(one, zeros) + followed(two, zeros)) / 2, kTolerance);
}

TEST(Loss, is_finite_for_scores_that_overflow_an_exponential) {
  const double found =
      loss_of({tensor({{2000, -2000}})}, {labels({1}), {tensor({{-2000, 2000}})}, 2},
              {.distillation = 0.5, .temperature = 1})
          .item<double>();
  EXPECT_NEAR(found, 4000, 1e-9);
}

constexpr char kTeacherNet[] = R"(
  input x float32 [N, 2, 3, 3]
  const w float32 [3, 2, 3, 3] random
  const scale float32 [3] positive
  const shift float32 [3] random
  const mean float32 [3] random
  const variance float32 [3] positive
  c = Conv(x, w)
  n = BatchNormalization(c, scale, shift, mean, variance)
  y = Flatten(n)
)";
constexpr char kStudentNet[] = R"(
  input x float32 [N, 2, 3, 3]
  const v float32 [18, 3] random
  f = Flatten(x)
  y = MatMul(f, v)
  output y)";

Rows rows_of(const Tensor& tensor) {
  Rows rows(static_cast<size_t>(tensor.shape()[0]));
  for (int64_t i = 0; i < tensor.size(); ++i) {
    rows[static_cast<size_t>(i / tensor.shape()[1])].push_back(tensor.as<float>()[i]);
  }
  return rows;
}

TEST(Distillation, follows_the_teacher_in_evaluation_mode_with_its_normalisation_fused) {
  const Graph scores = parse_text_graph(kTeacherNet + std::string("output y"));
  Graph fused = scores;
  fuse_batch_norms(fused);
  ASSERT_LT(fused.nodes.size(), scores.nodes.size()) << "the teacher has nothing to fuse";
  const Graph probabilities =
      parse_text_graph(kTeacherNet + std::string("p = Softmax(y)\noutput p"));
  for (const Graph* teacher : {&scores, &probabilities}) {
    TrainingSetup setup = for_classes(3);
    setup.loss = {.distillation = 1, .temperature = 2};
    setup.teacher = teacher;
    TestTrainer net(kStudentNet, setup);
    const Tensor images = net.images(1, 8);
    const Rows expected = rows_of(run_reference(scores, std::vector<Tensor>{images}).front());
    const Rows student = rows_of(net.trainer->forward(images).front());
    const double loss = net.step(1).loss;
    EXPECT_NEAR(loss, divergence(student, expected, 2), kFloatTolerance * loss);
    EXPECT_NE(net.stored("v"), net.loaded("v"));
  }
}

TEST(Distillation, without_classes_brings_outputs_nearer_to_the_teachers) {
  const Graph teacher = parse_text_graph(kTeacherNet + std::string("output y"));
  TrainingSetup setup;
  setup.loss.distillation = 1;
  setup.teacher = &teacher;
  TestTrainer net(kStudentNet, setup);
  const double first = net.step(1, 0.01).loss;
  for (int i = 0; i < 40; ++i) EXPECT_EQ(net.step(1, 0.01).correct, 0);
  EXPECT_LT(net.step(1, 0.01).loss, first / 2);
}

}  // namespace
}  // namespace coppice::train
