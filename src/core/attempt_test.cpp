// What counts as an answer, and what must not.
#include "core/attempt.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

TEST(Attempt, gives_what_the_body_returns) {
  EXPECT_EQ(attempt(ErrorKind::input, [] { return 3; }), 3);
}

TEST(Attempt, an_error_of_the_kind_is_no) {
  const auto body = []() -> int { fail_input("does not fit"); };
  EXPECT_EQ(attempt(ErrorKind::input, body), std::nullopt);
}

TEST(Attempt, other_errors_and_our_own_bugs_pass_through) {
  const auto bug = []() -> int {
    COPPICE_CHECK(false, "a bug");
    return 0;
  };
  const auto usage = []() -> int { fail_usage("not so"); };
  try {
    attempt(ErrorKind::input, bug);
    ADD_FAILURE() << "a bug was taken for an answer";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::internal);
  }
  EXPECT_THROW(attempt(ErrorKind::input, usage), Error);
}

}  // namespace
}  // namespace coppice
