#include "data/for_each_batch.h"

#include <stdexcept>

#include "data/batch.h"
#include "support/test_files.h"

namespace coppice {
namespace {

TEST(ForEachBatch, gives_every_image_once_and_in_order) {
  const auto digits = open_dataset("digits", Split::train);
  const std::vector<int64_t> indices{5, 3, 900, 4, 4, 8, 1};
  Tensor all = Tensor::zeros(DType::f32, {7, 784});
  std::vector<int64_t> labels(7), sizes, found_labels;
  load_batch(*digits, *digits->own_preprocessing(), indices, all, labels);
  std::vector<float> found;
  for_each_batch(
      *digits, {indices, 3, {784}, *digits->own_preprocessing()}, [&](const Batch& batch) {
        const auto values = batch.images.as<float>();
        found.insert(found.end(), values.begin(), values.end());
        found_labels.insert(found_labels.end(), batch.labels.begin(), batch.labels.end());
        sizes.push_back(batch.images.shape()[0]);
      });
  EXPECT_TRUE(std::ranges::equal(found, all.as<float>()));
  EXPECT_EQ(found_labels, labels);
  EXPECT_EQ(sizes, (std::vector<int64_t>{3, 3, 1}));
}

TEST(ForEachBatch, no_images_are_no_batches_and_whoever_uses_them_may_stop) {
  const auto digits = open_dataset("digits", Split::train);
  const Preprocessing none = parse_preprocessing("none");
  for_each_batch(*digits, {{}, 3, {784}, none}, [](const Batch&) { FAIL(); });
  int used = 0;
  const auto stop = [&](const Batch&) {
    ++used;
    throw std::runtime_error("enough");
  };
  EXPECT_THROW(for_each_batch(*digits, {{1, 2, 3}, 1, {784}, none}, stop), std::runtime_error);
  EXPECT_EQ(used, 1);
}

}  // namespace
}  // namespace coppice
