// `coppice train`, as a user runs it. Skipped where the training half wasn't built.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

bool training_is_built() {
  return std::filesystem::exists(std::filesystem::path(COPPICE_PROGRAM).parent_path() /
                                 "libcoppice_train.so");
}

Arguments train(const std::filesystem::path& output) {
  return {"train",         "zoo:lenet5", "--data", "digits",  "--preprocess", "mnist",  "-o",
          output.string(), "--epochs",   "2",      "--batch", "512",          "--seed", "3",
          "--threads",     "1"};
}

TEST(Training, interrupted_and_resumed_ends_in_the_same_bits) {
  if (!training_is_built()) GTEST_SKIP() << "built without training";
  const TempDir folder;
  const auto whole = folder.path() / "whole.onnx", parts = folder.path() / "parts.onnx";
  ASSERT_EQ(coppice(train(whole)).code, 0);
  // The first epoch is done when the checkpoint is there.
  const Ran stopped = interrupt_coppice(train(parts), folder.path() / "parts.run" / "checkpoint");
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_FALSE(std::filesystem::exists(parts));
  EXPECT_TRUE(fails(coppice(train(parts)), 2, "unfinished"));
  Arguments again = train(parts);
  again.emplace_back("--resume");
  const Ran resumed = coppice(again);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(sha256_of_file(whole), sha256_of_file(parts));
}

}  // namespace
}  // namespace coppice
