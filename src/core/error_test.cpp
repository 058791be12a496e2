// What an error carries beside its message.
#include "core/error.h"

#include <gtest/gtest.h>

namespace coppice {
namespace {

TEST(Error, carries_what_may_help_as_data_and_not_in_its_message) {
  try {
    fail_target("too small", {option_hint("round-to", "1"), task_hint("inspect", "says why")});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::target);
    EXPECT_STREQ(error.what(), "too small");
    ASSERT_EQ(error.hints().size(), 2u);
    EXPECT_EQ(error.hints()[0].of, Hint::Of::option);
    EXPECT_EQ(error.hints()[0].name, "round-to");
    EXPECT_EQ(error.hints()[0].value, "1");
    EXPECT_EQ(error.hints()[1].of, Hint::Of::task);
    EXPECT_EQ(error.hints()[1].does, "says why");
  }
}

TEST(Within, puts_its_context_before_the_message_and_its_hints_behind) {
  try {
    within("the cut can't be proved", [] { fail_input("too deep", {subject_hint("model")}); },
           {option_hint("verify", "off", "does without")});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_STREQ(error.what(), "the cut can't be proved: too deep");
    ASSERT_EQ(error.hints().size(), 2u);
    EXPECT_EQ(error.hints()[0].name, "model");
    EXPECT_EQ(error.hints()[1].name, "verify");
  }
}

}  // namespace
}  // namespace coppice
