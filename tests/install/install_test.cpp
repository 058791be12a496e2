// What `cmake --install` puts under a prefix: a program that works there, what shells and `man`
// read, and the C API, by which the examples are built as its users build theirs.
#include <gmock/gmock.h>

#include <cstdlib>

#include "core/files.h"
#include "core/random.h"
#include "data/formats/npy.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

class Install : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir;
    run(quoted(CMAKE_PROGRAM) + " --install " + quoted(COPPICE_BUILD) + " --prefix " +
        quoted(prefix()));
  }
  static void TearDownTestSuite() {
    delete dir_;
    dir_ = nullptr;
  }

  // What the shell command prints; it must succeed.
  static std::string run(const std::string& command) {
    const fs::path out = *dir_ / "out";
    const int code = std::system(("{ " + command + "; } >" + quoted(out) + " 2>&1").c_str());
    const std::string text = read_text(out);
    EXPECT_EQ(code, 0) << command << "\n" << text;
    return text;
  }
  static bool has(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
  }
  // The one of these names under the prefix; lib may be lib/x86_64-linux-gnu.
  static fs::path find(const std::string& name) {
    for (const auto& entry : fs::recursive_directory_iterator(prefix())) {
      if (entry.path().filename() == name) return entry.path();
    }
    ADD_FAILURE() << "no " << name << " is installed";
    return {};
  }
  static fs::path prefix() { return *dir_ / "prefix"; }
  static std::string program() { return quoted(prefix() / "bin" / "coppice"); }

  // The examples' answers must be those of `coppice run`, from the same model and numbers.
  static void expect_the_same_answers(const std::string& c, const std::string& cpp) {
    const fs::path& dir = dir_->path();
    Tensor x = Tensor::zeros(DType::f32, {1, 3, 32, 32});
    Random random = Random::stream(3, {});
    for (float& number : x.mutate<float>()) number = random.normal();
    AtomicFile npy(dir / "x.npy"), raw(dir / "x.bin");
    write_npy(x, npy);
    raw.write(x.bytes());
    npy.commit();
    raw.commit();
    run("cd " + quoted(dir) + " && " + program() + " zoo resnet20 -o m.onnx && " + program() +
        " compress m.onnx -o m.coppice && " + program() +
        " run m.coppice --input x.npy -o y.npy --threads 1");
    EXPECT_THAT(run("cd " + quoted(dir) + " && " + c + " m.coppice x.bin c.bin"),
                HasSubstr("output 'output': 1 10, 40 bytes"));
    EXPECT_THAT(run("cd " + quoted(dir) + " && " + cpp + " m.onnx x.bin cpp.bin 3"),
                HasSubstr("3 threads answered alike"));
    const Tensor y = parse_npy(read_file(dir / "y.npy"), "y.npy");
    for (const char* name : {"c.bin", "cpp.bin"}) {
      const Buffer answer = read_file(dir / name);
      ASSERT_EQ(answer.size, y.bytes().size());
      EXPECT_TRUE(std::ranges::equal(answer.bytes(), y.bytes())) << name;
    }
  }

  static TempDir* dir_;
};

TempDir* Install::dir_ = nullptr;

TEST_F(Install, the_program_works_where_it_is_installed) {
  EXPECT_THAT(run(program() + " --version"), StartsWith("coppice "));
  EXPECT_THAT(run(program() + " inspect zoo:lenet5"), HasSubstr("Conv"));
  if (!fs::exists(prefix() / "lib" / "libcoppice_train.so")) GTEST_SKIP() << "without training";
  EXPECT_THAT(run(program() + " eval zoo:lenet5 --data digits --limit 10 --engine train"),
              HasSubstr("loss"));
}

TEST_F(Install, shells_and_man_find_every_command) {
  const fs::path share = prefix() / "share";
  const std::string bash = (share / "bash-completion/completions/coppice").string();
  run("bash -c 'source \"" + bash + "\" && complete -p coppice'");
  EXPECT_THAT(read_text(share / "zsh/site-functions/_coppice"), StartsWith("#compdef coppice"));
  EXPECT_THAT(read_text(share / "fish/vendor_completions.d/coppice.fish"),
              HasSubstr("complete -c coppice"));
  if (has("zsh")) run("zsh -n " + quoted(share / "zsh/site-functions/_coppice"));
  if (has("fish")) run("fish -n " + quoted(share / "fish/vendor_completions.d/coppice.fish"));
  for (const char* page : {"coppice.1", "coppice-prune.1", "coppice-run.1"}) {
    const fs::path path = share / "man/man1" / page;
    EXPECT_THAT(read_text(path), HasSubstr(".TH")) << page;
    if (!has("man")) continue;
    EXPECT_THAT(run("man -l " + quoted(path)), HasSubstr("NAME")) << page;
  }
}

TEST_F(Install, the_runtime_shows_its_functions_alone_and_needs_no_libraries_of_other_parts) {
  if (!has("nm") || !has("readelf")) GTEST_SKIP() << "no binutils";
  const std::string library = quoted(find("libcoppice_runtime.so"));
  const std::string others = run("nm -D --defined-only " + library +
                                 " | grep -vc -e ' T coppice_' -e ' A COPPICE_' || true");
  EXPECT_EQ(others, "0\n");
  const std::string needed = run("readelf -d " + library);
  for (const char* other : {"jpeg", "png", "zip", "torch"}) {
    EXPECT_THAT(needed, testing::Not(HasSubstr(other)));
  }
}

TEST_F(Install, examples_are_built_by_find_package) {
  const fs::path build = *dir_ / "examples";
  run(quoted(CMAKE_PROGRAM) + " -S " + quoted(COPPICE_EXAMPLES) + " -B " + quoted(build) +
      " -DCMAKE_PREFIX_PATH=" + quoted(prefix()) + " -DCMAKE_C_FLAGS='-Wall -Wextra -pedantic'" +
      " && " + quoted(CMAKE_PROGRAM) + " --build " + quoted(build));
  expect_the_same_answers(quoted(build / "run_model_c"), quoted(build / "run_model_cpp"));
}

TEST_F(Install, examples_are_built_by_pkg_config) {
  if (!has("pkg-config")) GTEST_SKIP() << "no pkg-config";
  const fs::path examples = COPPICE_EXAMPLES;
  const fs::path pc = find("coppice_runtime.pc");
  const fs::path library = find("libcoppice_runtime.so").parent_path();
  const std::string flags = "$(PKG_CONFIG_PATH=" + quoted(pc.parent_path()) +
                            " pkg-config --cflags --libs coppice_runtime)";
  run("cd " + quoted(dir_->path()) + " && cc -std=c99 " + quoted(examples / "run_model.c") +
      " -o by_c " + flags + " && c++ -std=c++17 " + quoted(examples / "run_model.cpp") +
      " -o by_cpp -pthread " + flags);
  const std::string path = "LD_LIBRARY_PATH=" + quoted(library) + " ";
  expect_the_same_answers(path + "./by_c", path + "./by_cpp");
}

}  // namespace
}  // namespace coppice
