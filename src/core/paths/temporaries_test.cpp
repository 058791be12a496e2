// What a killed writer left is cleared away by the next one into the same folder, and nothing else.
#include "core/paths/temporaries.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <string>

#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

namespace fs = std::filesystem;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

// What `write` does in a process that is killed before it can tidy up.
template <typename Write>
void killed(Write write) {
  const pid_t child = ::fork();
  if (child == 0) {
    write();
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(Temporaries, of_a_killed_writer_go_with_the_next_one_into_the_same_folder) {
  const TempDir dir;
  killed([&] {
    AtomicFile file(dir / "model.onnx");
    file.write("half");
    file.companion(".data").write("half");
    write_text(make_temporary_folder(dir / "plan.masks").path / "000-w.npy", "a mask");
    AtomicFile other(dir / "other.onnx");
    ::raise(SIGKILL);
  });
  EXPECT_EQ(names_in(dir.path()).size(), 4u) << "files, their data, a folder, another file";
  {
    AtomicFile file(dir / "model.onnx");
    file.companion(".data").write("whole");
    file.commit();
    ::close(make_temporary_folder(dir / "plan.masks").descriptor);
  }
  std::set<std::string> left = names_in(dir.path());
  EXPECT_EQ(left.erase("model.onnx") + left.erase("model.onnx.data"), 2u);
  ASSERT_EQ(left.size(), 1u) << "the new folder";
  EXPECT_TRUE(fs::is_empty(dir / *left.begin()));
}

TEST(Temporaries, of_a_writer_that_is_at_work_stay) {
  const TempDir dir;
  AtomicFile first(dir / "model.onnx");
  AtomicFile second(dir / "model.onnx");
  EXPECT_EQ(names_in(dir.path()).size(), 2u);
  second.write("second");
  first.write("first");
  second.commit();
  first.commit();
  EXPECT_EQ(read_text(dir / "model.onnx"), "first");
}

TEST(Temporaries, files_that_merely_look_alike_are_the_users) {
  const TempDir dir;
  const std::set<std::string> theirs = {"model.onnx.tmpbackup", "model.onnx.coppice-tmp-",
                                        "model.onnx.coppice-tmp-1234567",
                                        "model.onnx.coppice-tmp-12.456", ".coppice-tmp-123456"};
  for (const std::string& name : theirs) write_text(dir / name, "mine");
  write_text(dir / "model.onnx", "a model");
  std::set<std::string> expected = theirs;
  expected.insert("model.onnx");
  EXPECT_EQ(names_in(dir.path()), expected);
}

TEST(Temporaries, a_folder_that_holds_more_than_files_stays_with_the_rest) {
  const TempDir dir;
  const fs::path folder = dir / "masks";
  fs::create_directories(folder / "inner");
  write_text(folder / "000-w.npy", "a mask");
  fs::create_symlink(folder, folder / "link");
  remove_flat_folder(folder);
  EXPECT_EQ(names_in(folder), (std::set<std::string>{"inner", "link"}));
}

}  // namespace
}  // namespace coppice
