// Options from a file: tables, kinds of values, and messages with the line.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Config : public testing::Test {
 protected:
  Ran prune(const std::string& text, const Arguments& more = {}) const {
    write_text(dir / "options.toml", text);
    Arguments arguments = {"prune",    "zoo:lenet5",         "-o",    dir / "small.onnx",
                           "--config", dir / "options.toml", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return coppice(arguments);
  }
  std::string line(int number) const {
    return "'" + (dir / "options.toml").string() + "', line " + std::to_string(number) + ": ";
  }

  TempDir dir;
};

TEST_F(Config, the_example_of_the_documentation_works_for_each_of_its_commands) {
  const std::string file = std::string(COPPICE_SOURCE_DIR) + "/examples/coppice.toml";
  const Ran pruned =
      coppice({"prune", "zoo:lenet5", "-o", dir / "small.onnx", "--config", file, "--json"});
  ASSERT_EQ(pruned.code, 0) << pruned.err;
  const json settings = pruned.json()["settings"];
  EXPECT_EQ(pruned.json()["method"], "fpgm");
  EXPECT_EQ(settings["keep-macs"], "0.6");
  EXPECT_EQ(settings["keep"], (json{"conv1", "fc1"}));
  EXPECT_FALSE(pruned.json()["after"].contains("latency_ms"));
  const Ran eval = coppice({"eval", dir / "small.onnx", "--config", file, "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(eval.json()["images"], 200);
}

TEST_F(Config, tables_of_other_commands_are_left_to_them) {
  const Ran ran = prune("[eval]\ndata = 'cifar10:DIR'\n[prune]\nkeep-params = 0.3\n");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.json()["settings"]["keep-params"], "0.3");
}

TEST_F(Config, a_list_for_one_value_is_its_parts_with_commas) {
  const Ran ran = prune("[prune]\nrecover = ['bias', 'merge']\n");
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.json()["settings"]["recover"], "bias,merge");
}

TEST_F(Config, what_is_wrong_is_said_with_its_line_and_what_was_probably_meant) {
  const std::pair<const char*, const char*> wrong[] = {
      {"seed = 1\nkeep-mac = 0.5\n", "no option 'keep-mac'; did you mean 'keep-macs'"},
      {"[prune]\nkeep_macs = 0.5\n", "no option 'keep_macs'; did you mean 'keep-macs'"},
      {"seed = 1\n[prun]\n", "[prun] is no command; did you mean 'prune'"},
      {"[prune]\nkeep-macs = 2\n", "--keep-macs 2: expected"},
      {"[prune]\nkeep-spine = 3\n", "'keep-spine': expected true or false"},
      {"[prune]\nkeep-macs = {a = 1}\n", "expected a number, a text, true or false"},
      {"seed = 1\nkeep-macs = = 2\n", "expected TOML"}};
  for (const auto& [text, part] : wrong) {
    const Ran ran = prune(text);
    EXPECT_EQ(ran.code, 2) << text;
    EXPECT_THAT(ran.err, HasSubstr(line(2))) << text;
    EXPECT_THAT(ran.err, HasSubstr(part)) << text;
    EXPECT_FALSE(std::filesystem::exists(dir / "small.onnx"));
  }
}

}  // namespace
}  // namespace coppice
