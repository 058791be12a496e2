// What is usual of a training that nothing is said of: who teaches, the rate, what is held out.
#include "session/options/training_options.h"

#include <gtest/gtest.h>

#include "support/fake_session.h"
#include "support/graphs/text_graph.h"

namespace coppice {
namespace {

Graph with_norms() { return parse_text_graph(fake::kNet); }

Graph without_norms() {
  return parse_text_graph(R"(
      input x float32 [N, 1, 4, 4]
      const w float32 [3, 16] random
      f = Flatten(x)
      y = Gemm(f, w) {transB=1}
      output y)");
}

Settings settings() { return Settings(changed(training_options(), {&kEpochs, "2"})); }

Settings settings(const Option& option, const std::string& value) {
  Settings given = settings();
  given.set(option, value);
  return given;
}

double taught(Start start, const Settings& given = settings(), int64_t classes = 3) {
  return recipe_of(given, start, with_norms(), *fake::images(classes), 0).loss.distillation;
}

TEST(UsualTeacher, is_the_original_after_a_cut_alone) {
  EXPECT_EQ(taught(Start::pruned), 0.9);
  EXPECT_EQ(taught(Start::trained), 0) << "it would teach itself to stay as it is";
  EXPECT_EQ(taught(Start::untrained), 0);
}

TEST(UsualTeacher, is_all_there_is_where_labels_do_not_fit) {
  EXPECT_EQ(taught(Start::pruned, settings(), 5), 1);
  EXPECT_EQ(taught(Start::trained, settings(), 5), 0);
}

TEST(UsualTeacher, is_none_or_another_where_it_is_said) {
  EXPECT_EQ(taught(Start::pruned, settings(kDistillation, "0.25")), 0.25);
  EXPECT_EQ(taught(Start::untrained, settings(kDistillation, "1")), 1);
}

TEST(UsualRate, falls_from_untrained_to_trained_to_nets_without_normalisation) {
  EXPECT_EQ(usual_rate(settings(), Start::untrained, with_norms()), 0.1);
  EXPECT_EQ(usual_rate(settings(), Start::trained, with_norms()), 0.03);
  EXPECT_EQ(usual_rate(settings(), Start::pruned, with_norms()), 0.03);
  EXPECT_EQ(usual_rate(settings(), Start::untrained, without_norms()), 0.01);
  EXPECT_EQ(usual_rate(settings(kOptimizer, "adam"), Start::untrained, with_norms()), 0.001);
}

TEST(UsualRate, is_in_the_recipe_unless_another_is_given) {
  const auto data = fake::images();
  const auto rate = [&](const Settings& given) {
    return recipe_of(given, Start::untrained, with_norms(), *data, 0).optimizer.learning_rate;
  };
  EXPECT_EQ(rate(settings()), 0.1);
  EXPECT_EQ(rate(settings(kLearningRate, "0.5")), 0.5);
}

TEST(UsualClipping, is_for_nets_without_normalisation) {
  const auto data = fake::images();
  EXPECT_EQ(recipe_of(settings(), Start::trained, with_norms(), *data, 0).optimizer.clip_norm, 0);
  EXPECT_EQ(recipe_of(settings(), Start::trained, without_norms(), *data, 0).optimizer.clip_norm,
            5);
}

TEST(UsualHeldOut, is_a_tenth_but_at_most_a_thousand_images) {
  EXPECT_EQ(usual_held_out(0), 0.1);
  EXPECT_EQ(usual_held_out(400), 0.1);
  EXPECT_EQ(usual_held_out(10'000), 0.1);
  EXPECT_EQ(usual_held_out(50'000), 0.02);
}

}  // namespace
}  // namespace coppice
