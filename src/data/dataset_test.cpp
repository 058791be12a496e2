// Specs and the table of formats.
#include "data/dataset.h"

#include <set>

#include "data/test_files.h"

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

}  // namespace
}  // namespace coppice
