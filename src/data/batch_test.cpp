// Batches: the right images in the right places, whatever the number of threads.
#include "data/batch.h"

#include "core/threads.h"
#include "support/test_files.h"

namespace coppice {
namespace {

// The number of threads is set back when a test ends.
class Batch : public ::testing::Test {
 protected:
  ~Batch() override { set_thread_count(0); }
};

TEST_F(Batch, samples_stand_in_the_order_of_their_indices) {
  const auto digits = open_dataset("digits", Split::test);
  const std::vector<int64_t> indices = {7, 3, 7, 1999};
  Tensor images = Tensor::zeros(DType::f32, {4, 1, 28, 28});
  std::vector<int64_t> labels(4);
  load_batch(*digits, parse_preprocessing("none"), indices, images, labels);
  for (size_t i = 0; i < indices.size(); ++i) {
    const Sample sample = digits->read(indices[i]);
    EXPECT_EQ(labels[i], sample.label);
    const auto values = images.as<float>().subspan(i * 784, 784);
    const auto pixels = sample.pixels.as<uint8_t>();
    EXPECT_TRUE(std::equal(values.begin(), values.end(), pixels.begin()));
  }
}

TEST_F(Batch, threads_do_not_change_the_result) {
  const auto digits = open_dataset("digits", Split::train);
  std::vector<int64_t> indices(300);
  for (int64_t i = 0; i < 300; ++i) indices[i] = i * 7 % 300;
  Tensor one = Tensor::zeros(DType::f32, {300, 784}), many = one;
  set_thread_count(1);
  load_batch(*digits, *digits->own_preprocessing(), indices, one, {});
  set_thread_count(5);
  load_batch(*digits, *digits->own_preprocessing(), indices, many, {});
  EXPECT_EQ(one, many);
}

TEST_F(Batch, a_shared_tensor_is_copied_before_it_is_written) {
  const auto digits = open_dataset("digits", Split::train);
  Tensor images = Tensor::zeros(DType::f32, {1, 784});
  const Tensor before = images;
  load_batch(*digits, parse_preprocessing("none"), std::vector<int64_t>{0}, images, {});
  EXPECT_EQ(before, Tensor::zeros(DType::f32, {1, 784}));
  EXPECT_FALSE(images == before);
}

TEST_F(Batch, an_empty_batch_is_fine) {
  const auto digits = open_dataset("digits", Split::train);
  Tensor images = Tensor::zeros(DType::f32, {0, 1, 28, 28});
  load_batch(*digits, parse_preprocessing("none"), {}, images, {});
  EXPECT_EQ(images.size(), 0);
}

TEST_F(Batch, errors_name_the_sample) {
  const auto digits = open_dataset("digits", Split::train);
  Tensor images = Tensor::zeros(DType::f32, {1, 5, 28, 28});
  test::expect_error(ErrorKind::usage, {"sample 42 of 'digits'", "1 channels", "5x28x28"}, [&] {
    load_batch(*digits, parse_preprocessing("none"), std::vector<int64_t>{42}, images, {});
  });
}

TEST_F(Batch, images_of_different_sizes_become_one_batch) {
  const test::TempFolder folder;
  folder.write("a/1.png", test::png(4, 2, PNG_FORMAT_GRAY, {9, 1, 2, 9, 9, 3, 4, 9}));
  folder.write("a/2.png", test::png(2, 2, PNG_FORMAT_RGB, {5, 5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8}));
  const auto dataset = open_dataset("images:" + folder.path(), Split::test);
  Tensor images = Tensor::zeros(DType::f32, {2, 1, 2, 2});
  load_batch(*dataset, parse_preprocessing("none"), std::vector<int64_t>{0, 1}, images, {});
  EXPECT_EQ(images, Tensor::of<float>({2, 1, 2, 2}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(Batch, real_images_load_in_both_layouts) {
  const auto folder = test::real_data("imagenet-sample");
  if (!folder) GTEST_SKIP() << "no real data";
  const auto dataset = open_dataset("images:" + *folder, Split::test);
  const std::vector<int64_t> indices = {0, 500};
  Tensor planar = Tensor::zeros(DType::f32, {2, 3, 224, 224});
  Tensor mixed = Tensor::zeros(DType::f32, {2, 224, 224, 3});
  Preprocessing how = *dataset->own_preprocessing();
  load_batch(*dataset, how, indices, planar, {});
  how.layout = Preprocessing::Layout::nhwc;
  load_batch(*dataset, how, indices, mixed, {});
  for (int64_t i = 0; i < 224 * 224; i += 997) {
    for (int64_t c = 0; c < 3; ++c) {
      EXPECT_EQ(planar.as<float>()[(3 + c) * 224 * 224 + i],
                mixed.as<float>()[(224 * 224 + i) * 3 + c]);
    }
  }
}

}  // namespace
}  // namespace coppice
