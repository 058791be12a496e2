#include "data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace coppice {
namespace {

LoaderOptions options(int64_t pictures, int64_t batch) {
  LoaderOptions result;
  for (int64_t i = 0; i < pictures; ++i) result.indices.push_back(i);
  result.batch = batch;
  result.input = {1, 28, 28};
  result.preprocessing = parse_preprocessing("scale=1/255");
  result.augmentation = parse_augmentation("pad=2,flip");
  result.seed = 7;
  return result;
}

TEST(Loader, gives_the_same_batches_from_any_start) {
  const auto dataset = open_dataset("digits", Split::train);
  Loader through(*dataset, options(70, 16)), later(*dataset, options(70, 16));
  std::vector<Batch> batches;
  for (int i = 0; i < 7; ++i) batches.push_back(through.next());
  later.start(1, 1);
  const Batch batch = later.next();
  EXPECT_EQ(through.batches(), 4);
  EXPECT_EQ(batch.images, batches[5].images);
  EXPECT_EQ(batch.labels, batches[5].labels);
  EXPECT_FALSE(batch.images == batches[1].images);
}

TEST(Loader, held_out_and_training_pictures_are_disjoint_and_all) {
  const HeldOut parts = hold_out(1000, 0.1, 3);
  std::set<int64_t> all(parts.training.begin(), parts.training.end());
  all.insert(parts.held_out.begin(), parts.held_out.end());
  EXPECT_EQ(parts.held_out.size(), 100);
  EXPECT_EQ(all.size(), 1000);
  EXPECT_TRUE(std::ranges::is_sorted(parts.training));
}

TEST(Augment, text_is_read_back_and_a_key_gives_the_same_picture) {
  const Augmentation how = parse_augmentation("pad=4,area=0.5,flip");
  EXPECT_EQ(parse_augmentation(to_string(how)), how);
  EXPECT_EQ(to_string(parse_augmentation("none")), "none");
  const auto dataset = open_dataset("digits", Split::train);
  const Tensor pixels = dataset->read(0).pixels;
  EXPECT_EQ(augment(pixels, how, {1, 2, 3}), augment(pixels, how, {1, 2, 3}));
  EXPECT_FALSE(augment(pixels, how, {1, 2, 3}) == augment(pixels, how, {1, 3, 3}));
  EXPECT_EQ(augment(pixels, how, {1, 2, 3}).shape(), pixels.shape());
}

}  // namespace
}  // namespace coppice
