// Specs and the table of formats.
#include "data/dataset.h"

#include <map>
#include <set>

#include "support/test_files.h"

namespace coppice {
namespace {

using test::expect_error;

TEST(Dataset, every_format_has_a_name_a_form_and_a_description) {
  std::set<std::string_view> names;
  for (const DatasetFormat& format : dataset_formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_TRUE(format.form.starts_with(format.name)) << format.form;
    EXPECT_FALSE(format.description.empty());
    EXPECT_NE(format.open, nullptr);
  }
  EXPECT_EQ(names.size(), 7u);
}

TEST(Dataset, an_unknown_spec_lists_the_forms) {
  for (const char* spec : {"svhn:DIR", "", ":", "MNIST:x"}) {
    std::vector<std::string> parts = {"unknown data set", spec};
    for (const DatasetFormat& format : dataset_formats()) parts.emplace_back(format.form);
    expect_error(ErrorKind::usage, parts, [&] { open_dataset(spec, Split::test); });
  }
}

TEST(Dataset, a_missing_or_needless_argument_shows_the_form) {
  expect_error(ErrorKind::usage, {"'mnist'", "mnist:DIR"},
               [] { open_dataset("mnist", Split::test); });
  expect_error(ErrorKind::usage, {"'images:'", "images:DIR"},
               [] { open_dataset("images:", Split::test); });
  expect_error(ErrorKind::usage, {"'digits:x'", "form digits"},
               [] { open_dataset("digits:x", Split::test); });
  expect_error(ErrorKind::usage, {"'digits:'", "form digits"},
               [] { open_dataset("digits:", Split::test); });
}

TEST(Dataset, every_format_names_what_is_missing) {
  for (const DatasetFormat& format : dataset_formats()) {
    if (format.name == "digits") continue;
    const std::string argument = format.name == "npy" ? "/none/x,/none/y" : "/none/x";
    expect_error(ErrorKind::input, {"/none/x"},
                 [&] { open_dataset(std::string(format.name) + ":" + argument, Split::train); });
  }
}

TEST(Dataset, every_format_has_its_usual_augmentation) {
  const test::TempFolder folder;
  const std::string image(3072, 'x'), zeros(3, '\0');
  folder.write("test_batch.bin", "\1" + image);
  folder.write("test.bin", "\1\1" + image);
  folder.write("t10k-images-idx3-ubyte", zeros.substr(2) + zeros.substr(2) + "\x8\x3" + zeros +
                                             "\1" + zeros + "\1" + zeros + "\1" + "x");
  folder.write("t10k-labels-idx1-ubyte",
               zeros.substr(2) + zeros.substr(2) + "\x8\x1" + zeros + "\1" + "\1");
  folder.write("class/1.png", test::png(1, 1, PNG_FORMAT_GRAY, {1}));
  const auto header = [](const std::string& shape) {
    const std::string text = "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }\n";
    return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(text.size()) + '\0' + text;
  };
  const std::string images = folder.write("x.npy", header("(1, 1, 1)") + "x");
  const std::string labels = folder.write("y.npy", header("(1,)") + "\1");
  const std::map<std::string_view, std::string_view> expected = {
      {"mnist", "none"},          {"fashion-mnist", "pad=2,flip"}, {"cifar10", "pad=4,flip"},
      {"cifar100", "pad=4,flip"}, {"images", "area=0.08,flip"},    {"npy", "none"},
      {"digits", "none"}};
  ASSERT_EQ(expected.size(), dataset_formats().size());
  for (const DatasetFormat& format : dataset_formats()) {
    const std::string name(format.name);
    const std::string argument = name == "npy" ? images + "," + labels : folder.path();
    const auto dataset = open_dataset(name == "digits" ? name : name + ":" + argument, Split::test);
    EXPECT_EQ(to_string(dataset->usual_augmentation()), expected.at(format.name)) << name;
    const bool tests = name != "npy" && name != "images";  // neither has a test part here
    EXPECT_EQ(dataset->split(), tests ? Split::test : Split::train) << name;
    EXPECT_EQ(dataset->label(0), dataset->read(0).label) << name;
  }
}

TEST(ShiftedLabels, are_the_models_classes_and_everything_else_stays) {
  const auto plain = open_dataset("digits", Split::test);
  const auto shifted = shift_labels(open_dataset("digits", Split::test), 1);
  EXPECT_EQ(plain->label_offset(), std::nullopt);
  EXPECT_EQ(shifted->label_offset(), 1);
  EXPECT_EQ(shifted->classes(), 11);
  EXPECT_EQ(shifted->size(), plain->size());
  EXPECT_EQ(shifted->name(), "digits");
  EXPECT_EQ(shifted->split(), Split::test);
  EXPECT_EQ(shifted->own_preprocessing(), plain->own_preprocessing());
  for (const int64_t i : {0, 1, 1999}) {
    EXPECT_EQ(shifted->label(i), plain->label(i) + 1);
    EXPECT_EQ(shifted->read(i).label, plain->label(i) + 1);
    EXPECT_EQ(shifted->read(i).pixels, plain->read(i).pixels);
  }
}

TEST(ShiftedLabels, below_the_first_class_are_refused_with_the_image) {
  const auto digits = open_dataset("digits", Split::test);
  int64_t zero = 0;
  while (digits->label(zero) != 0) ++zero;
  expect_error(ErrorKind::input,
               {"'digits'", "label 0 of image " + std::to_string(zero), "by -1", "--label-offset"},
               [] { shift_labels(open_dataset("digits", Split::test), -1); });
}

}  // namespace
}  // namespace coppice
