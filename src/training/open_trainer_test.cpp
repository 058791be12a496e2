// A library that doesn't fit the program is refused before anything of it is used.
#include <gtest/gtest.h>

#include "support/fake_session.h"
#include "training/plugin.h"

namespace coppice {
namespace {

std::string message_of_opening(const std::filesystem::path& path) {
  return fake::message_of(ErrorKind::usage, [&] { open_trainer_library(path); });
}

TEST(OpenTrainer, a_library_built_from_other_headers_is_refused_by_what_it_says) {
  const std::string message = message_of_opening(COPPICE_STALE);
  EXPECT_NE(message.find("it says 'coppice trainer 0123456789abcdef, " __VERSION__ "', expected "
                         "'coppice trainer "),
            std::string::npos)
      << message;
  EXPECT_TRUE(message.ends_with("; build both together")) << message;
}

TEST(OpenTrainer, a_library_that_is_not_there_is_refused_with_what_to_do) {
  const std::string message = message_of_opening("/nowhere/libcoppice_train.so");
  EXPECT_NE(message.find("can't be opened"), std::string::npos) << message;
  EXPECT_NE(message.find("COPPICE_TRAINING=ON"), std::string::npos) << message;
}

}  // namespace
}  // namespace coppice
