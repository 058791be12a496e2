// Models that are good, but judged wrongly, and models that really know nothing.
#include "training/judging/diagnosis.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/random.h"

namespace coppice {
namespace {

using Cause = Diagnosis::Cause;

// `count` images with labels from `first`, of `kinds` classes in turn; nine of ten get the answer
// `answer(label)`, the others anything.
std::vector<Guess> guesses(int64_t count, int64_t kinds, int64_t first, int64_t classes,
                           const std::function<int64_t(int64_t)>& answer) {
  Random random(1);
  std::vector<Guess> all;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = first + i % kinds;
    const bool known = random.below(10) > 0;
    all.push_back(
        {label, known ? answer(label)
                      : static_cast<int64_t>(random.below(static_cast<uint64_t>(classes)))});
  }
  return all;
}

// By the labels of the guesses, as if there were no others.
Diagnosis diagnosed(const std::vector<Guess>& all, int64_t classes) {
  return diagnose(all, classes, labels_of(all));
}

std::string sentence(const std::vector<Guess>& all, int64_t classes,
                     std::optional<int64_t> label_offset = {}) {
  return explain(diagnosed(all, classes), {.images = "images",
                                           .preprocessing = "scale=1",
                                           .from = "given by --preprocess",
                                           .label_offset = label_offset});
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(KnowsLittle, is_less_than_a_fifth_of_the_way_from_chance_to_all) {
  EXPECT_TRUE(knows_little(0.27, 10));
  EXPECT_FALSE(knows_little(0.29, 10));
  EXPECT_TRUE(knows_little(0.59, 2));
  EXPECT_FALSE(knows_little(0.61, 2));
  EXPECT_TRUE(knows_little(0, 1000));
  EXPECT_FALSE(knows_little(1, 1));
}

TEST(Diagnosis, labels_counted_from_one_are_told_with_the_offset_that_helps) {
  const auto all = guesses(600, 10, 1, 20, [](int64_t label) { return label - 1; });
  const Diagnosis found = diagnosed(all, 20);
  EXPECT_EQ(found.cause, Cause::shifted);
  EXPECT_EQ(found.shift, -1);
  EXPECT_GT(found.otherwise, 0.85);
  EXPECT_TRUE(has(sentence(all, 20), "shifted by -1")) << sentence(all, 20);
  EXPECT_TRUE(has(sentence(all, 20), "--label-offset -1"));
  EXPECT_TRUE(has(sentence(all, 20, 1), "--label-offset 0")) << "on top of the one that was given";
}

TEST(Diagnosis, a_background_class_shifts_labels_up) {
  const auto all = guesses(600, 10, 0, 11, [](int64_t label) { return label + 1; });
  EXPECT_EQ(diagnosed(all, 11).shift, 1);
  EXPECT_TRUE(has(sentence(all, 11), "--label-offset 1"));
}

TEST(Diagnosis, a_shift_that_makes_labels_of_no_class_is_a_renaming) {
  const auto all = guesses(600, 10, 0, 10, [](int64_t label) { return (label + 1) % 10; });
  EXPECT_EQ(diagnosed(all, 10).cause, Cause::renamed);
}

// The images that were looked at may lack the class that the shift would push out.
TEST(Diagnosis, a_shift_that_any_label_of_the_data_forbids_is_not_proposed) {
  const auto up = guesses(600, 9, 0, 10, [](int64_t label) { return label + 1; });
  EXPECT_EQ(diagnose(up, 10, {.least = 0, .classes = 9}).shift, 1);
  EXPECT_EQ(diagnose(up, 10, {.least = 0, .classes = 10}).cause, Cause::renamed);
  const auto down = guesses(600, 9, 1, 10, [](int64_t label) { return label - 1; });
  EXPECT_EQ(diagnose(down, 10, {.least = 1, .classes = 10}).shift, -1);
  EXPECT_EQ(diagnose(down, 10, {.least = 0, .classes = 10}).cause, Cause::renamed);
  const LabelRange both = joined({.least = 1, .classes = 9}, {.least = 0, .classes = 7});
  EXPECT_EQ(both.least, 0);
  EXPECT_EQ(both.classes, 9);
}

TEST(Diagnosis, answers_beyond_the_labels_are_told_with_both_numbers) {
  Random random(2);
  std::vector<Guess> all;
  for (int64_t i = 0; i < 500; ++i) {
    all.push_back({i % 10, static_cast<int64_t>(random.below(64))});
  }
  EXPECT_EQ(diagnosed(all, 64).cause, Cause::beyond);
  const std::string text = sentence(all, 64);
  EXPECT_TRUE(has(text, "for classes above 9, the largest label, and has 64 outputs")) << text;
  EXPECT_TRUE(has(text, "'scale=1' (given by --preprocess)")) << "which may be it, after all";
  EXPECT_EQ(diagnosed(all, 64).beyond, diagnose(all, 64, {.least = 0, .classes = 10}).beyond);
}

TEST(Diagnosis, classes_in_another_order_are_told_with_how_well_they_are_told_apart) {
  const auto all = guesses(600, 10, 0, 10, [](int64_t label) { return 9 - label; });
  const Diagnosis found = diagnosed(all, 10);
  EXPECT_EQ(found.cause, Cause::renamed);
  EXPECT_GT(found.otherwise, 0.85);
  EXPECT_LT(found.otherwise, 0.98);
  EXPECT_TRUE(has(sentence(all, 10), "in another order"));
}

TEST(Diagnosis, many_classes_of_few_images_do_not_make_chance_look_like_knowledge) {
  Random random(3);
  for (const int64_t each : {1, 2, 3}) {
    std::vector<Guess> all;
    for (int64_t i = 0; i < 1000; ++i) {
      all.push_back({i / each, static_cast<int64_t>(random.below(1000))});
    }
    EXPECT_EQ(diagnose(all, 1000, {.least = 0, .classes = 1000}).cause, Cause::preprocessing)
        << each;
  }
}

TEST(Diagnosis, always_the_same_answer_is_no_knowledge_however_common_a_class_is) {
  std::vector<Guess> all;
  for (int64_t i = 0; i < 200; ++i) all.push_back({i % 10 == 0, 1});  // nine of ten are class 0
  const Diagnosis found = diagnosed(all, 3);
  EXPECT_EQ(found.cause, Cause::preprocessing);
  EXPECT_TRUE(has(sentence(all, 3), "100.0 % of them for class 1, whatever they show"));
}

TEST(Diagnosis, without_another_reading_preprocessing_is_named_with_who_said_it) {
  const auto all = guesses(500, 10, 0, 10, [](int64_t) { return int64_t{4}; });
  const std::string text = sentence(all, 10);
  EXPECT_TRUE(has(text, "of 500 images right, and chance is 10.0 %")) << text;
  EXPECT_TRUE(has(text, "'scale=1' (given by --preprocess)")) << text;
}

TEST(Diagnosis, outputs_that_are_no_numbers_are_told) {
  const auto all = guesses(50, 10, 0, 10, [](int64_t) { return int64_t{-1}; });
  EXPECT_TRUE(has(sentence(all, 10), "NaN")) << sentence(all, 10);
}

TEST(Diagnosis, of_a_test_part_that_does_not_go_with_the_other_proposes_no_offset_for_both) {
  const auto told = [](const std::vector<Guess>& all, int64_t classes) {
    return explain_test_part(diagnosed(all, classes), 0.97);
  };
  const std::string shifted = told(guesses(600, 9, 1, 10, [](int64_t l) { return l - 1; }), 10);
  EXPECT_TRUE(has(shifted, "97.0 % of the images held out")) << shifted;
  EXPECT_TRUE(has(shifted, "labels of that part shifted by -1")) << shifted;
  EXPECT_FALSE(has(shifted, "--label-offset")) << shifted;
  EXPECT_TRUE(has(told(guesses(600, 10, 0, 10, [](int64_t l) { return 9 - l; }), 10),
                  "in another order than those it was trained on"));
  EXPECT_TRUE(has(told(guesses(600, 10, 0, 10, [](int64_t) { return int64_t{3}; }), 10),
                  "do the images of that part show the same"));
}

TEST(Diagnosis, one_image_is_enough_to_say_something) {
  EXPECT_EQ(diagnose(std::vector<Guess>{{0, 5}}, 10, {.least = 0, .classes = 10}).cause,
            Cause::preprocessing);
}

}  // namespace
}  // namespace coppice
