#include "session/queries/measuring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

namespace coppice {
namespace {

const std::vector<int64_t> kFrom{2, 3, 5, 7, 11, 13, 17, 19, 23};

TEST(ImagesToMeasure, are_always_the_same_and_every_other_one_is_in_the_rest) {
  const ImagesToMeasure found = images_to_measure(kFrom, 6, Rest::nothing);
  EXPECT_EQ(found.measured.size(), 6u);
  EXPECT_TRUE(std::ranges::is_sorted(found.measured));
  std::vector<int64_t> all;
  std::ranges::merge(found.measured, found.rest, std::back_inserter(all));
  EXPECT_EQ(all, kFrom);
  EXPECT_EQ(images_to_measure(kFrom, 6, Rest::nothing).measured, found.measured);
}

TEST(ImagesToMeasure, are_all_where_more_are_wanted) {
  EXPECT_EQ(images_to_measure(kFrom, 500, Rest::nothing).measured, kFrom);
}

TEST(ImagesToMeasure, where_nothing_else_judges_half_of_them_must_do) {
  const ImagesToMeasure found = images_to_measure(kFrom, 500, Rest::judging);
  EXPECT_EQ(found.measured.size(), 4u);
  EXPECT_EQ(found.rest.size(), 5u);
  EXPECT_EQ(images_to_measure(kFrom, 2, Rest::judging).measured.size(), 2u);
}

}  // namespace
}  // namespace coppice
