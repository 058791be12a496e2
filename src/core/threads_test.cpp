#include "core/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace coppice {
namespace {

TEST(ParallelFor, covers_every_index_once_in_ranges_of_at_least_the_grain) {
  for (const int64_t count : {0, 1, 7, 100, 1000}) {
    for (const int64_t grain : {1, 3, 64, 5000}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
      parallel_for(count, grain, [&](int64_t begin, int64_t end) {
        EXPECT_GE(end - begin, std::min(grain, count));
        for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
      });
      for (const auto& times : seen) ASSERT_EQ(times, 1) << count << " by " << grain;
    }
  }
}

TEST(ParallelFor, throws_the_first_exception_by_index) {
  const auto failing = [](int64_t begin, int64_t) {
    throw std::runtime_error(std::to_string(begin));
  };
  try {
    parallel_for(100, 1, failing);
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "0");
  }
}

}  // namespace
}  // namespace coppice
