// By which images a model is judged, and how much of them it sees.
#include "training/judging/judging.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/fake_session.h"

namespace coppice {
namespace {

TEST(ImagesToJudge, are_the_test_part_whatever_a_training_left_out) {
  const auto digits = open_dataset("digits", Split::test);
  for (const JudgedImages& judged :
       {images_to_judge(*digits), images_to_judge(*digits, std::vector<int64_t>{1, 5})}) {
    EXPECT_STREQ(name_of(judged.by), "test");
    EXPECT_EQ(std::ssize(judged.indices), digits->size());
    EXPECT_EQ(judged.indices.front(), 0);
    EXPECT_EQ(judged.indices.back(), digits->size() - 1);
  }
}

TEST(ImagesToJudge, are_those_held_out_where_there_is_no_test_part) {
  const JudgedImages judged = images_to_judge(*fake::images(), std::vector<int64_t>{3, 5, 39});
  EXPECT_STREQ(name_of(judged.by), "held out");
  EXPECT_EQ(judged.indices, (std::vector<int64_t>{3, 5, 39}));
}

TEST(ImagesToJudge, are_called_training_images_where_nothing_was_held_out) {
  const JudgedImages judged = images_to_judge(*fake::images(3, 4));
  EXPECT_STREQ(name_of(judged.by), "training images");
  EXPECT_EQ(judged.indices, (std::vector<int64_t>{0, 1, 2, 3}));
}

std::unique_ptr<Dataset> photographs(int64_t height, int64_t width) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(3 * height * width);
  MemoryImages all;
  all.name = "photographs";
  all.classes = 1;
  all.shape = {3, height, width};
  all.labels = {0};
  all.parts.push_back({bytes, std::span(*bytes), bytes->size(), 1});
  return make_memory_dataset(std::move(all));
}

std::string why(int64_t height, int64_t width, const char* preprocessing) {
  return why_hardly_seen(*photographs(height, width), std::vector<int64_t>{0},
                         parse_preprocessing(preprocessing), {3, 224, 224})
      .value_or("(enough)");
}

TEST(HardlySeen, photographs_that_nothing_resizes_are_told_with_what_is_seen_of_them) {
  EXPECT_EQ(why(500, 375, "imagenet"),
            "of images such as one of 375x500 pixels the model sees the middle 224x224 alone, "
            "60 % of the short side; if it was trained on whole images, add resize=256 or the "
            "like to --preprocess");
  EXPECT_NE(why(1200, 1600, "imagenet,crop=224").find("19 %"), std::string::npos);
}

TEST(HardlySeen, nothing_is_said_where_enough_is_seen_or_a_size_was_given) {
  EXPECT_EQ(why(256, 341, "imagenet,crop=224"), "(enough)");
  EXPECT_EQ(why(1200, 1600, "imagenet,resize=256"), "(enough)");
  EXPECT_EQ(why(1200, 1600, "imagenet,resize=1000"), "(enough)") << "the user's own choice";
  EXPECT_EQ(why(32, 32, "imagenet"), "(enough)") << "enlarged";
}

TEST(HardlySeen, a_image_that_does_not_fit_the_model_is_named) {
  EXPECT_NE(fake::message_of(ErrorKind::usage, [] { why(300, 300, "crop=200"); })
                .find("sample 0 of 'photographs'"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice
