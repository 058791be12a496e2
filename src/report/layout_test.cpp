#include "report/layout.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

TEST(Shortened, names_keep_both_ends) {
  EXPECT_EQ(shortened("/layer1/layer1.0/conv2/Conv", 30), "/layer1/layer1.0/conv2/Conv");
  EXPECT_EQ(shortened("/layer1/layer1.0/conv2/Conv", 15), "/layer...2/Conv");
  EXPECT_EQ(columns_of(shortened("/layer1/layer1.0/conv2/Conv", 15)), 15u);
}

TEST(Shortened, no_letter_of_another_script_is_cut_in_two) {
  EXPECT_EQ(shortened("äöüäöüäöü", 7), "äö...öü");
}

TEST(Wrapped, lines_break_at_words_and_a_long_word_has_a_line) {
  EXPECT_EQ(wrapped("one two  three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("a verylongword b", 5), (std::vector<std::string>{"a", "verylongword", "b"}));
  EXPECT_TRUE(wrapped("", 10).empty());
}

TEST(EntriesText, what_is_said_stands_beside_the_name) {
  EXPECT_EQ(entries_text({{"l2", {"the smallest norm of all the filters", "He et al."}},
                          {"fpgm", {"filters"}}},
                         36),
            "l2    the smallest norm of all the\n"
            "      filters\n"
            "      He et al.\n"
            "fpgm  filters\n");
}

TEST(EntriesText, a_long_name_has_a_line_of_its_own) {
  EXPECT_EQ(entries_text({{"npy:IMAGES,LABELS", {"files"}}, {"mnist", {"digits"}}}, 24),
            "npy:IMAGES,LABELS\n"
            "       files\n"
            "mnist  digits\n");
}

}  // namespace
}  // namespace coppice
