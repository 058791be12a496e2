// What is taken for a slip of the keyboard, and what isn't.
#include "core/words/nearest.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

const std::vector<std::string> kWords = {"inspect", "prune", "compare", "compress", "zoo"};

TEST(Nearest, a_letter_that_is_wrong_missing_too_many_or_swapped_is_a_slip) {
  for (const char* slip : {"prune", "prun", "pruune", "prnue", "prane"}) {
    EXPECT_EQ(nearest(slip, kWords, 1), (std::vector<std::string>{"prune"})) << slip;
  }
}

TEST(Nearest, another_word_isnt) {
  for (const char* other : {"", "train", "x", "quantize"}) {
    EXPECT_TRUE(nearest(other, kWords, 3).empty()) << other;
    EXPECT_EQ(did_you_mean(other, kWords), "");
  }
}

TEST(Nearest, part_of_a_name_is_like_it_and_the_likest_come_first) {
  const std::vector<std::string> names = {"/layer1/layer1.0/conv1/Conv", "layer1.0.conv2.weight",
                                          "fc.weight"};
  EXPECT_EQ(nearest("layer1.0.conv2", names, 3).front(), "layer1.0.conv2.weight");
  EXPECT_EQ(nearest("comprss", kWords, 2).front(), "compress");
  EXPECT_EQ(did_you_mean("compar", kWords), "; did you mean 'compare'?");
}

TEST(Nearest, a_name_of_any_length_costs_little) {
  EXPECT_TRUE(nearest("prune", {std::string(1 << 20, 'p')}, 1).empty());
}

}  // namespace
}  // namespace coppice
