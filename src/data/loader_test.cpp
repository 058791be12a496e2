// The loader: which images come in which batch, whatever was asked for before and however many
// threads there are.
#include "data/loader.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <map>
#include <numeric>
#include <set>

#include "core/random.h"
#include "core/threads.h"
#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

// Image i is one value i, labelled i. Reads are counted.
struct Numbers : Dataset {
  explicit Numbers(int64_t count) : broken(count), count_(count) {}

  int64_t size() const override { return count_; }
  int64_t classes() const override { return count_; }
  std::string name() const override { return "numbers"; }
  Split split() const override { return Split::train; }
  std::optional<Preprocessing> own_preprocessing() const override { return {}; }
  Sample read(int64_t index) const override {
    ++reads;
    if (index >= broken) fail_input("it is broken");
    // Work that nobody needs; 10000 take about 50 us.
    if (work > 0) Random(0).permutation(work);
    return {Tensor::of<float>({1, 1, 1}, std::vector<float>{static_cast<float>(index)}), index};
  }

  mutable std::atomic<int64_t> reads = 0;
  int64_t broken;  // from here on images can't be read
  int64_t work = 0;

 private:
  int64_t count_;
};

std::vector<int64_t> first(int64_t count) {
  std::vector<int64_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

LoaderOptions number_options(int64_t count, int64_t batch) {
  LoaderOptions options;
  options.indices = first(count);
  options.batch = batch;
  options.input = {1, 1, 1};
  options.seed = 7;
  return options;
}

LoaderOptions digit_options() {
  LoaderOptions options;
  options.indices = first(90);
  options.batch = 32;
  options.input = {1, 28, 28};
  options.preprocessing = parse_preprocessing("mnist");
  options.augmentation = parse_augmentation("pad=2,flip,area=0.5");
  options.seed = 11;
  return options;
}

std::vector<Batch> take(Loader& loader, int64_t count) {
  std::vector<Batch> batches;
  for (int64_t i = 0; i < count; ++i) batches.push_back(loader.next());
  return batches;
}

void expect_equal(const Batch& a, const Batch& b) {
  EXPECT_EQ(a.images, b.images);
  EXPECT_EQ(a.labels, b.labels);
}

// The number of threads is set back when a test ends.
class Loaders : public ::testing::Test {
 protected:
  ~Loaders() override { set_thread_count(0); }
};

TEST_F(Loaders, an_epoch_gives_each_image_at_most_once_in_whole_batches) {
  const Numbers numbers(100);
  LoaderOptions options = number_options(0, 8);
  for (int64_t i = 3; i < 64; ++i) options.indices.push_back(i);
  Loader loader(numbers, options);
  ASSERT_EQ(loader.batches(), 7);
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::set<int64_t> seen;
    for (const Batch& batch : take(loader, loader.batches())) {
      ASSERT_EQ(batch.images.shape(), (Shape{8, 1, 1, 1}));
      ASSERT_EQ(batch.labels.size(), 8u);
      for (size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(batch.images.as<float>()[i], static_cast<float>(batch.labels[i]));
        EXPECT_TRUE(seen.insert(batch.labels[i]).second);
      }
    }
    EXPECT_EQ(seen.size(), 56u);
    EXPECT_GE(*seen.begin(), 3);
    EXPECT_LT(*seen.rbegin(), 64);
  }
}

TEST_F(Loaders, epochs_and_seeds_differ_in_order) {
  const Numbers numbers(64);
  Loader loader(numbers, number_options(64, 64));
  LoaderOptions other = number_options(64, 64);
  other.seed = 8;
  const auto epochs = take(loader, 2);
  EXPECT_NE(epochs[0].labels, epochs[1].labels);
  EXPECT_NE(epochs[0].labels, first(64));
  EXPECT_NE(epochs[0].labels, Loader(numbers, other).next().labels);
}

TEST_F(Loaders, epochs_augment_the_same_image_differently) {
  const auto digits = open_dataset("digits", Split::train);
  LoaderOptions options = digit_options();
  options.indices = {5};
  options.batch = 1;
  Loader loader(*digits, options);
  const auto epochs = take(loader, 2);
  EXPECT_EQ(epochs[0].labels, epochs[1].labels);
  EXPECT_FALSE(epochs[0].images == epochs[1].images);
}

TEST_F(Loaders, images_are_read_augmented_and_preprocessed) {
  const auto digits = open_dataset("digits", Split::train);
  const LoaderOptions options = digit_options();
  Loader loader(*digits, options);
  loader.start(4, 1);
  const Batch batch = loader.next();
  std::vector<float> expected(784);
  size_t found = 0;
  for (const int64_t index : options.indices) {
    const Sample sample = digits->read(index);
    const Tensor pixels = augment(sample.pixels, options.augmentation,
                                  {options.seed, 4, static_cast<uint64_t>(index)}, {28, 28});
    preprocess(pixels, options.preprocessing, options.input, expected);
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      const auto values = batch.images.as<float>().subspan(i * 784, 784);
      if (!std::equal(expected.begin(), expected.end(), values.begin())) continue;
      EXPECT_EQ(batch.labels[i], sample.label);
      ++found;
    }
  }
  EXPECT_EQ(found, batch.labels.size());
}

// Where preprocessing would resize and cut out the middle, a window of the image goes in whole.
TEST_F(Loaders, random_areas_are_neither_resized_again_nor_cropped) {
  const auto digits = open_dataset("digits", Split::train);
  LoaderOptions options = digit_options();
  options.input = {1, 16, 16};
  options.preprocessing = parse_preprocessing("resize=24,crop=16");
  options.augmentation = parse_augmentation("area=0.5");
  options.indices = {7};
  options.batch = 1;
  Loader loader(*digits, options);
  const Tensor window = augment(digits->read(7).pixels, options.augmentation, {options.seed, 0, 7},
                                {.height = 16, .width = 16});
  const Batch batch = loader.next();
  for (size_t i = 0; i < 256; ++i) {
    ASSERT_EQ(batch.images.as<float>()[i], window.as<uint8_t>()[i]) << i;
  }
}

TEST_F(Loaders, any_start_gives_the_batches_of_running_through) {
  const auto digits = open_dataset("digits", Split::train);
  Loader through(*digits, digit_options()), started(*digits, digit_options());
  const auto all = take(through, 6);  // three epochs
  for (const int64_t place : {5, 0, 3, 1, 4, 2}) {
    started.start(place / 2, place % 2);
    for (int64_t i = place; i < 6; ++i) expect_equal(started.next(), all[i]);
  }
  started.start(1, 2);  // the end of epoch 1
  expect_equal(started.next(), all[4]);
}

TEST_F(Loaders, threads_do_not_change_the_batches) {
  const auto digits = open_dataset("digits", Split::train);
  LoaderOptions options = digit_options();
  options.indices = first(600);
  options.batch = 300;  // enough for several threads
  set_thread_count(1);
  Loader one(*digits, options);
  const auto expected = take(one, 3);
  set_thread_count(5);
  Loader many(*digits, options);
  for (const Batch& batch : expected) expect_equal(many.next(), batch);
}

TEST_F(Loaders, only_a_few_batches_are_made_ahead) {
  const Numbers numbers(1000);
  Loader loader(numbers, number_options(1000, 10));
  const auto kept = take(loader, 3);
  EXPECT_GE(numbers.reads, 30);
  EXPECT_LE(numbers.reads, 50);
}

TEST_F(Loaders, a_loader_may_be_left_or_started_anew_at_any_time) {
  const auto digits = open_dataset("digits", Split::train);
  const auto expected = Loader(*digits, digit_options()).next();
  { const Loader unused(*digits, digit_options()); }
  for (int i = 0; i < 20; ++i) {
    Loader loader(*digits, digit_options());
    loader.start(3, 0);
    loader.start(2, 1);
    if (i % 2 == 0) loader.next();
    loader.start(0, 0);
    if (i % 3 == 0) expect_equal(loader.next(), expected);
  }
}

TEST_F(Loaders, leaving_does_not_wait_for_the_rest_of_a_batch) {
  set_thread_count(1);
  constexpr int64_t kCount = 400'000;
  Numbers numbers(kCount);
  numbers.work = 10000;
  {
    Loader loader(numbers, number_options(kCount, kCount));
    loader.start(0, 0);
  }
  // All of them would take 20 s.
  EXPECT_LT(numbers.reads, kCount);
}

TEST_F(Loaders, errors_of_images_come_out_of_next_and_the_batch_after_follows) {
  Numbers numbers(40);
  LoaderOptions options = number_options(40, 10);
  Loader whole(numbers, options);
  const auto expected = take(whole, 4);
  numbers.broken = 39;
  Loader loader(numbers, options);
  for (const Batch& batch : expected) {
    if (std::count(batch.labels.begin(), batch.labels.end(), 39) == 0) {
      expect_equal(loader.next(), batch);
    } else {
      expect_error(ErrorKind::input, {"sample 39 of 'numbers'", "it is broken"},
                   [&] { loader.next(); });
    }
  }
}

TEST_F(Loaders, fewer_images_than_a_batch_is_an_error) {
  const Numbers numbers(100);
  EXPECT_EQ(Loader(numbers, number_options(64, 64)).batches(), 1);
  expect_error(ErrorKind::input, {"'numbers'", "63", "64", "at least one batch of 64"},
               [&] { Loader(numbers, number_options(63, 64)); });
  expect_error(ErrorKind::input, {"0 images", "64"},
               [&] { Loader(numbers, number_options(0, 64)); });
}

TEST(SampleImages, are_always_the_same_and_follow_neither_classes_in_turn_nor_in_a_row) {
  const std::vector<int64_t> some = sample_images(1000, 100);
  EXPECT_EQ(some, sample_images(1000, 100));
  ASSERT_EQ(some.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(some));
  std::map<int64_t, int64_t> in_turn, in_a_row;  // ten classes, each way
  for (const int64_t index : some) {
    ++in_turn[index % 10];
    ++in_a_row[index / 100];
  }
  EXPECT_EQ(in_turn.size(), 10u);
  EXPECT_EQ(in_a_row.size(), 10u);
  for (const auto& [label, count] : in_turn) EXPECT_LT(count, 25) << label;
  EXPECT_EQ(sample_images(5, 100), first(5));
  EXPECT_EQ(sample_images(5, 0), first(0));
}

}  // namespace
}  // namespace coppice
