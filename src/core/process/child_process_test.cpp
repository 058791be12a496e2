// Talking to a program line by line.

#include "core/process/child_process.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace coppice {
namespace {

TEST(ChildProcess, gives_line_by_line_what_the_program_says) {
  auto child = ChildProcess::start({"cat"});
  ASSERT_TRUE(child);
  child->send_line("one");
  child->send_line("two");
  EXPECT_EQ(child->receive_line(), "one");
  EXPECT_EQ(child->receive_line(), "two");
}

TEST(ChildProcess, a_program_that_ends_says_nothing_more) {
  auto child = ChildProcess::start({"true"});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->receive_line(), std::nullopt);
  EXPECT_THROW(for (int i = 0; i < 100; ++i) child->send_line("anybody there"), Error);
}

TEST(ChildProcess, no_such_program_is_an_ordinary_no) {
  EXPECT_FALSE(ChildProcess::start({"coppice-has-no-such-program"}));
}

}  // namespace
}  // namespace coppice
