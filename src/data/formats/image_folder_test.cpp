// Class folders of images: order, splits, and what is wrong with them.
#include "data/in_quotes.h"
#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

std::string grey(uint8_t value) { return test::png(1, 1, PNG_FORMAT_GRAY, {value}); }

std::vector<std::pair<int64_t, int>> all_of(const Dataset& dataset) {
  std::vector<std::pair<int64_t, int>> result;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const Sample sample = dataset.read(i);
    result.emplace_back(sample.label, sample.pixels.as<uint8_t>()[0]);
  }
  return result;
}

using Expected = std::vector<std::pair<int64_t, int>>;

TEST(ImageFolder, sorted_folders_are_the_classes_and_training_images_for_both_splits) {
  const test::TempFolder folder;
  folder.write("cat/2.PNG", grey(2));
  folder.write("cat/1.jpeg", grey(1));  // told by its bytes, not its name
  folder.write("ant/x.png", grey(3));
  folder.write("ant/notes.txt", "not an image");
  folder.write("bee/.hidden.png", "not an image");
  folder.write("README.md", "nothing");
  for (const Split split : {Split::train, Split::test}) {
    const auto dataset = open_dataset("images:" + folder.path(), split);
    EXPECT_EQ(dataset->classes(), 3);
    EXPECT_EQ(dataset->name(), "images");
    EXPECT_EQ(dataset->split(), Split::train);
    EXPECT_EQ(all_of(*dataset), (Expected{{0, 3}, {2, 1}, {2, 2}}));
  }
}

TEST(ImageFolder, images_without_class_folders_are_one_class_that_says_nothing) {
  const test::TempFolder folder;
  folder.write("b.png", grey(2));
  folder.write("a.png", grey(1));
  for (const Split split : {Split::train, Split::test}) {
    const auto dataset = open_dataset("images:" + folder.path(), split);
    EXPECT_EQ(dataset->classes(), 1);
    EXPECT_EQ(all_of(*dataset), (Expected{{0, 1}, {0, 2}}));
  }
  const test::TempFolder parts;
  parts.write("train/1.png", grey(1));
  parts.write("val/2.png", grey(2));
  EXPECT_EQ(all_of(*open_dataset("images:" + parts.path(), Split::train)), (Expected{{0, 1}}));
  EXPECT_EQ(all_of(*open_dataset("images:" + parts.path(), Split::test)), (Expected{{0, 2}}));
}

TEST(ImageFolder, train_and_val_folders_are_the_splits) {
  for (const char* held_out : {"val", "test"}) {
    const test::TempFolder folder;
    folder.write("train/a/1.png", grey(1));
    folder.write("train/b/2.png", grey(2));
    folder.write(std::string(held_out) + "/b/3.png", grey(3));
    const std::string spec = "images:" + folder.path();
    EXPECT_EQ(all_of(*open_dataset(spec, Split::train)), (Expected{{0, 1}, {1, 2}}));
    EXPECT_EQ(all_of(*open_dataset(spec, Split::test)), (Expected{{1, 3}}));
    EXPECT_EQ(open_dataset(spec, Split::test)->classes(), 2);
    EXPECT_EQ(open_dataset(spec, Split::train)->split(), Split::train);
    EXPECT_EQ(open_dataset(spec, Split::test)->split(), Split::test);
  }
}

TEST(ImageFolder, test_judges_where_there_is_val_too_unless_it_has_no_classes) {
  const test::TempFolder folder;
  for (const char* file : {"train/a/1.png", "val/a/2.png", "test/3.png"}) {
    folder.write(file, grey(static_cast<uint8_t>(file[std::string_view(file).size() - 5] - '0')));
  }
  const std::string spec = "images:" + folder.path();
  EXPECT_EQ(all_of(*open_dataset(spec, Split::test)), (Expected{{0, 2}}));
  folder.write("test/a/4.png", grey(4));
  EXPECT_EQ(all_of(*open_dataset(spec, Split::test)), (Expected{{0, 4}}));
}

TEST(ImageFolder, a_lone_train_folder_has_no_test_part) {
  const test::TempFolder folder;
  folder.write("train/a/1.png", grey(1));
  for (const Split split : {Split::train, Split::test}) {
    const auto dataset = open_dataset("images:" + folder.path(), split);
    EXPECT_EQ(dataset->split(), Split::train);
    EXPECT_EQ(all_of(*dataset), (Expected{{0, 1}}));
  }
}

TEST(ImageFolder, a_class_called_train_is_a_class) {
  const test::TempFolder folder;
  folder.write("train/1.png", grey(1));
  folder.write("boat/2.png", grey(2));
  EXPECT_EQ(all_of(*open_dataset("images:" + folder.path(), Split::test)),
            (Expected{{0, 2}, {1, 1}}));
}

TEST(ImageFolder, images_may_differ_in_size) {
  const test::TempFolder folder;
  folder.write("a/1.png", test::png(2, 1, PNG_FORMAT_RGB, {1, 2, 3, 4, 5, 6}));
  folder.write("a/2.png", grey(1));
  const auto dataset = open_dataset("images:" + folder.path(), Split::test);
  EXPECT_EQ(dataset->read(0).pixels.shape(), (Shape{3, 1, 2}));
  EXPECT_EQ(dataset->read(1).pixels.shape(), (Shape{1, 1, 1}));
}

TEST(ImageFolder, a_corrupt_image_names_itself_when_read) {
  const test::TempFolder folder;
  const std::string file = folder.write("a/1.png", "nothing");
  const auto dataset = open_dataset("images:" + folder.path(), Split::test);
  expect_error(ErrorKind::input, {in_quotes(file)}, [&] { dataset->read(0); });
}

TEST(ImageFolder, folders_without_images_are_errors) {
  const test::TempFolder folder;
  const std::string spec = "images:" + folder.path();
  expect_error(ErrorKind::input, {folder.path(), "0 class folders", "0 images", "at least 1"},
               [&] { open_dataset(spec, Split::test); });
  folder.write("1.png", grey(1));
  folder.write("a/readme", "");
  expect_error(ErrorKind::input, {folder.path(), "1 class folders", "1 images", "at least 1"},
               [&] { open_dataset(spec, Split::test); });
  expect_error(ErrorKind::input, {"/nowhere", "class folders"},
               [] { open_dataset("images:/nowhere", Split::test); });
}

TEST(ImageFolder, missing_splits_and_unknown_classes_are_errors) {
  const test::TempFolder folder;
  folder.write("val/a/1.png", grey(1));
  const std::string spec = "images:" + folder.path();
  EXPECT_EQ(open_dataset(spec, Split::test)->size(), 1);
  expect_error(ErrorKind::input, {folder.path(), "no folder 'train'", "'val'"},
               [&] { open_dataset(spec, Split::train); });
  folder.write("train/b/1.png", grey(1));
  expect_error(ErrorKind::input,
               {folder.path() + "/val/a", "among the 1", folder.path() + "/train"},
               [&] { open_dataset(spec, Split::test); });
}

TEST(ImageFolder, real_images_have_a_thousand_classes) {
  const auto folder = test::real_data("imagenet-sample");
  if (!folder) GTEST_SKIP() << "no real data";
  const auto dataset = open_dataset("images:" + *folder, Split::test);
  EXPECT_EQ(dataset->size(), 1000);
  EXPECT_EQ(dataset->classes(), 1000);
  for (const int64_t i : {0, 123, 999}) {
    const Sample sample = dataset->read(i);
    EXPECT_EQ(sample.label, i);
    EXPECT_EQ(sample.pixels.shape()[0], 3);
    EXPECT_EQ(std::min(sample.pixels.shape()[1], sample.pixels.shape()[2]), 256);
  }
}

}  // namespace
}  // namespace coppice
