// Places that can't be written to, and interruptions: nothing half-written, nothing left behind.
#include <gtest/gtest.h>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

TEST(Places, unwritable_ones_are_refused_by_every_command_that_writes) {
  const TempDir dir;
  write_text(dir / "file", "x");
  const auto before = names_in(dir.path());
  for (const std::string& output : std::vector<std::string>{
           dir.path().string(), (dir / "missing" / "out.onnx").string(),
           (dir / "file" / "out.onnx").string(), std::string("/proc/out.onnx")}) {
    SCOPED_TRACE(output);
    EXPECT_TRUE(fails(coppice({"prune", "zoo:lenet5", "-o", output}), 3, "can't write"));
    EXPECT_TRUE(fails(coppice({"zoo", "lenet5", "-o", output}), 3, "can't write"));
    const std::string plan = std::filesystem::path(output).replace_extension(".json");
    EXPECT_TRUE(fails(coppice({"prune", "zoo:lenet5", "-o", dir / "out.onnx", "--plan",
                               output == dir.path() ? output : plan}),
                      3, "can't write"));
    EXPECT_TRUE(fails(coppice({"train", "zoo:lenet5", "--data", "digits", "-o", output}), 3, ""));
  }
  EXPECT_EQ(names_in(dir.path()), before);
}

TEST(Places, devices_are_not_replaced) {
  EXPECT_TRUE(fails(coppice({"prune", "zoo:lenet5", "-o", "/dev/null"}), 3, "expected a file"));
  EXPECT_TRUE(fails(coppice({"zoo", "lenet5", "-o", "/dev/null"}), 3, "expected a file"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(Places, a_full_disk_leaves_nothing) {
  const TempDir dir;
  const std::string limit = "ulimit -f 100";  // in blocks of 512 or 1024 bytes
  for (const Arguments& arguments :
       {Arguments{"prune", "zoo:lenet5", "-o", dir / "out.onnx", "--verify", "off"},
        Arguments{"zoo", "lenet5", "-o", dir / "out.onnx"}}) {
    EXPECT_TRUE(fails(coppice_under(limit, arguments), 3, "can't write"));
    EXPECT_EQ(names_in(dir.path()), std::set<std::string>{});
  }
}

TEST(Places, a_full_standard_output_is_an_error) {
  const TempDir dir;
  const Ran ran = coppice_under("exec >/dev/full", {"zoo"});
  EXPECT_TRUE(fails(ran, 3, "standard output"));
}

TEST(Places, a_link_is_followed_rather_than_replaced) {
  const TempDir dir;
  write_text(dir / "real.onnx", "old");
  std::filesystem::create_symlink(dir / "real.onnx", dir / "link.onnx");
  ASSERT_EQ(coppice({"zoo", "lenet5", "-o", dir / "link.onnx"}).code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link.onnx"));
  EXPECT_GT(std::filesystem::file_size(dir / "real.onnx"), 1000u);
}

TEST(Interruption, ends_a_measurement_with_130_and_is_noted_in_the_run_folder) {
  const TempDir dir;
  const Ran ran =
      interrupt_coppice({"bench", "zoo:vgg16-bn", "--run-dir", dir.path()}, dir / "run.json");
  EXPECT_TRUE(fails(ran, 130, "interrupted"));
  EXPECT_EQ(nlohmann::json::parse(read_text(dir / "run.json"))["status"], "interrupted");
}

TEST(Interruption, of_prune_leaves_no_file) {
  const TempDir dir;
  const Ran ran =
      interrupt_coppice({"prune", "zoo:vgg16-bn", "-o", dir / "out.onnx", "--run-dir", dir / "run"},
                        dir / "run" / "run.json");
  EXPECT_TRUE(fails(ran, 130, "interrupted"));
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"run"});
}

}  // namespace
}  // namespace coppice
