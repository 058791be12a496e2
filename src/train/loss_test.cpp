// The losses against numbers computed here, in double, from their formulas.
#include "train/loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/passes/fuse_batch_norm.h"
#include "runtime/reference.h"
#include "support/test_trainer.h"
#include "train/torch.h"

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

TEST(Loss, mixes_labels_and_teacher_by_their_shares) {
  const double found = loss_of({tensor(kStudent)}, {labels({2, 0}), {tensor(kTeacher)}, 3},
                               {.label_smoothing = 0.1, .distillation = 0.3, .temperature = 2})
                           .item<double>();
  EXPECT_NEAR(found,
              0.7 * cross_entropy(kStudent, {2, 0}, 0.1) + 0.3 * divergence(kStudent, kTeacher, 2),
              kTolerance);
}

TEST(Loss, of_other_outputs_is_the_error_in_deviations_of_the_teachers) {
  // Errors 1 0 1 4; the teacher's 2 2 4 8 have mean 4 and squares 4 + 4 + 0 + 16 = 24 over 3.
  const double found =
      loss_of({tensor({{1, 2}, {3, 4}})}, {{}, {tensor({{2, 2}, {4, 8}})}, 0}, {.distillation = 1})
          .item<double>();
  EXPECT_NEAR(found, (1 + 0 + 1 + 16) / 4.0 / (24 / 3.0), kTolerance);
}

TEST(Loss, of_a_constant_output_of_the_teacher_is_the_plain_error) {
  const LossOptions options{.distillation = 1};
  EXPECT_NEAR(loss_of({tensor({{1, 3}})}, {{}, {tensor({{3, 3}})}, 0}, options).item<double>(), 2,
              kTolerance);
  EXPECT_NEAR(loss_of({tensor({{1}})}, {{}, {tensor({{4}})}, 0}, options).item<double>(), 9,
              kTolerance);
}

TEST(Loss, is_the_mean_over_the_outputs) {
  const double found = loss_of({tensor(kStudent), tensor({{1, 3}})},
                               {labels({2, 0}), {tensor(kTeacher), tensor({{3, 3}})}, 3},
                               {.distillation = 1, .temperature = 1})
                           .item<double>();
  EXPECT_NEAR(found, (divergence(kStudent, kTeacher, 1) + 2) / 2, kTolerance);
}

TEST(Loss, is_finite_for_scores_that_overflow_an_exponential) {
  const double found =
      loss_of({tensor({{2000, -2000}})}, {labels({1}), {tensor({{-2000, 2000}})}, 2},
              {.distillation = 0.5, .temperature = 1})
          .item<double>();
  EXPECT_NEAR(found, 4000, 1e-9);
}

std::string logits_in(const std::string& text) {
  const Graph graph = parse_text_graph("input x float32 [N, 3]\n" + text);
  return graph.value(logits_of(graph)).name;
}

TEST(Logits, are_what_the_softmax_of_output_0_reads_or_else_output_0) {
  EXPECT_EQ(logits_in("h = Relu(x)\ny = Softmax(h)\noutput y"), "h");
  EXPECT_EQ(logits_in("h = Relu(x)\np = Softmax(h)\nf = Flatten(p)\ny = Identity(f)\noutput y"),
            "h");
  EXPECT_EQ(logits_in("h = Relu(x)\ny = LogSoftmax(h)\noutput y"), "y");
  EXPECT_EQ(logits_in("h = Softmax(x)\ny = Relu(h)\noutput y"), "y");
  EXPECT_EQ(logits_in("h = Relu(x)\ny = Flatten(h)\nz = Softmax(h)\noutput y z"), "y");
  EXPECT_EQ(logits_in("output x"), "x");
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
    const Tensor images = net.pictures(1, 8);
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
  for (int i = 0; i < 20; ++i) EXPECT_EQ(net.step(1, 0.01).correct, 0);
  EXPECT_LT(net.step(1, 0.01).loss, first / 2);
}

}  // namespace
}  // namespace coppice::train
