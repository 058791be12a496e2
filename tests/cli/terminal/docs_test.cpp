// Every command that README.md and docs/ show, run in a shell as it stands there, in their order,
// on a net of the zoo and small images: only data, numbers of epochs and the like are made small.
#include <gmock/gmock.h>

#include <cstdlib>
#include <regex>
#include <sstream>

#include "cli/training_fixture.h"

namespace coppice {
namespace {

// Commands of the indented blocks, with their continued lines; forms such as "coppice eval MODEL"
// aren't commands.
std::vector<std::string> commands_in(const std::string& text) {
  std::vector<std::string> commands;
  std::istringstream lines(text);
  bool goes_on = false;
  for (std::string line; std::getline(lines, line);) {
    const std::string start = "    coppice ", shown = "    $ coppice ";
    const bool begins = line.starts_with(start) || line.starts_with(shown);
    if (!begins && !goes_on) continue;
    if (line.starts_with(shown)) line.erase(4, 2);
    if (goes_on) {
      commands.back() += "\n" + line;
    } else if (line.find("MODEL") == std::string::npos) {
      commands.push_back(line);
    }
    goes_on = line.ends_with('\\') && !commands.empty();
  }
  return commands;
}

std::string made_small(std::string command) {
  const std::pair<const char*, const char*> smaller[] = {
      {"(cifar10|mnist|fashion-mnist|images):[^ ,]+", "npy:x.npy,y.npy"},
      {"--data digits", "--data npy:x.npy,y.npy"},
      {"zoo:(vgg19-bn|vgg11-bn-half|resnet56)", "zoo:resnet20"},
      {"(lenet|resnet56|squeezenet|resnet20)\\.onnx --", "model.onnx --"},
      {"prune (resnet56|resnet20)\\.onnx", "prune model.onnx"},
      {"resize=256,crop=2[0-9]+", "resize=36,crop=32"},
      {"(epochs) [0-9]+", "$1 1"},
      {" --engine onnxruntime", ""},  // which not everybody has
      {"--rounds [0-9]+", "--rounds 2"},
      {"--candidates [0-9]+", "--candidates 2"},
      {"--episodes [0-9]+", "--episodes 2 --warm-up-episodes 1"},
      {"--repeat [0-9]+", "--repeat 1"},
      {"--images [0-9]+", "--images 40"},
      {"--methods [a-z0-9,]+", "--methods l2,fpgm"},
      {"search model.onnx --keep-macs",
       "search model.onnx --population 3 --generations 1 --keep-macs"},
      {"--method metapruning", "--method metapruning --population 3 --generations 1"},
      {"coppice search", "coppice search --search-images 40"}};
  for (const auto& [from, to] : smaller) {
    command = std::regex_replace(command, std::regex(from), to);
  }
  const bool says = command.find("--preprocess") != std::string::npos;
  if (command.find("zoo:") != std::string::npos && command.find("--data") != std::string::npos &&
      !says) {
    command = std::regex_replace(command, std::regex("--data"), "--preprocess scale=1/255 --data");
  }
  return command;
}

class Docs : public Training {
 protected:
  void SetUp() override {
    Training::SetUp();
    if (IsSkipped()) return;
    const Ran trained =
        coppice({"train", "zoo:resnet20", "--data", data_, "--preprocess", "imagenet", "-o",
                 path("model.onnx"), "--epochs", "4", "--batch", "32", "--seed", "3"});
    ASSERT_EQ(trained.code, 0) << trained.err;
    const std::string zeros(2 * 3 * 32 * 32 * sizeof(float), '\0');
    write_text(folder_ / "images.npy", npy("<f4", "(2, 3, 32, 32)", zeros));
  }

  void expect_all_to_run(const std::string& document) const {
    const std::string text = read_text(std::string(COPPICE_SOURCE_DIR) + "/" + document);
    const std::vector<std::string> commands = commands_in(text);
    EXPECT_GT(commands.size(), 2u) << document;
    for (const std::string& shown : commands) {
      const std::string command = made_small(shown);
      write_text(folder_ / "line.sh", "set -e\ncd '" + folder_.path().string() +
                                          "'\ncoppice() { \"" COPPICE_PROGRAM "\" \"$@\"; }\n" +
                                          command + "\n");
      const std::string run = "bash " + path("line.sh") + " >" + path("line.out") + " 2>&1";
      EXPECT_EQ(std::system(run.c_str()), 0) << document << ":\n"
                                             << command << "\n"
                                             << read_text(folder_ / "line.out");
    }
  }
};

TEST_F(Docs, every_command_of_the_readme_runs) { expect_all_to_run("README.md"); }
TEST_F(Docs, every_command_of_the_pages_on_data_runs) { expect_all_to_run("docs/data.md"); }
TEST_F(Docs, every_command_of_the_pages_on_methods_runs) {
  if (!std::getenv("COPPICE_TEST_ALL")) GTEST_SKIP() << "slow; set COPPICE_TEST_ALL";
  expect_all_to_run("docs/methods.md");
}

}  // namespace
}  // namespace coppice
