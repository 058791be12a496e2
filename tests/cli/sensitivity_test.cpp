// coppice sensitivity, as a user runs it: the table, the file, Ctrl-C and going on, and the pruning
// by it.
#include <gmock/gmock.h>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using testing::HasSubstr;

class SensitivityOfLenet : public testing::Test {
 protected:
  // Untrained, so judged by its outputs; nothing of that needs LibTorch.
  Arguments measuring(const Arguments& more = {}) const {
    Arguments all = {
        "sensitivity", "zoo:lenet5",        "--data",   "digits", "--preprocess", "mnist",
        "--judge-by",  "outputs",           "--images", "20",     "--threads",    "1",
        "-o",          dir_ / "curves.json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TempDir dir_;
};

TEST_F(SensitivityOfLenet, prints_a_row_for_each_group_and_writes_what_json_says) {
  const Ran ran = coppice(measuring({"--ratios", "0.25,0.5"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("-25 %"));
  EXPECT_THAT(ran.out, HasSubstr("relative error of the outputs for 20 held-out training images"));
  const nlohmann::json kept = nlohmann::json::parse(read_text(dir_ / "curves.json"));
  ASSERT_EQ(kept["groups"].size(), 3u);
  for (const auto& group : kept["groups"]) {
    EXPECT_THAT(ran.out, HasSubstr(group["name"].get<std::string>()));
    EXPECT_EQ(group["points"].size(), 2u);
  }
  const nlohmann::json again = coppice(measuring({"--ratios", "0.25,0.5", "--json"})).json();
  EXPECT_EQ(again["groups"], kept["groups"]);
}

TEST_F(SensitivityOfLenet, goes_on_after_ctrl_c_with_what_was_measured) {
  const Arguments arguments = measuring({"--oracle"});
  const Ran stopped = interrupt_coppice(arguments, dir_ / "curves.json");
  if (stopped.code == 0) GTEST_SKIP() << "it was over before it was stopped";
  EXPECT_TRUE(fails(stopped, 130, "the same command goes on"));
  const nlohmann::json kept = nlohmann::json::parse(read_text(dir_ / "curves.json"));
  EXPECT_EQ(kept["groups"][0]["done"], true);
  const Ran whole = coppice(arguments);
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_THAT(whole.out, HasSubstr("of 570 units of 3 groups"));
  const nlohmann::json all = nlohmann::json::parse(read_text(dir_ / "curves.json"));
  EXPECT_EQ(all["groups"][0], kept["groups"][0]);
}

TEST_F(SensitivityOfLenet, says_what_a_pruning_keeps) {
  ASSERT_EQ(coppice(measuring({"--ratios", "0.25,0.5,0.75"})).code, 0);
  const Arguments pruning = {"prune",
                             "zoo:lenet5",
                             "-o",
                             dir_ / "small.onnx",
                             "--keep-macs",
                             "0.6",
                             "--latency",
                             "off",
                             "--allocate",
                             "sensitivity",
                             "--json",
                             "--sensitivity",
                             dir_ / "curves.json"};
  const Ran ran = coppice(pruning);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_LE(ran.json()["after"]["macs"].get<double>(),
            0.6 * ran.json()["before"]["macs"].get<double>());
  EXPECT_THAT(ran.json()["command"].get<std::string>(), HasSubstr("--allocate sensitivity"));
  Arguments other = pruning;
  other[1] = "zoo:mlp500-300-bn";
  other[3] = dir_ / "other.onnx";
  EXPECT_TRUE(fails(coppice(other), 3, "is the sensitivity of another model ('zoo:lenet5')"));
  EXPECT_FALSE(names_in(dir_.path()).contains("other.onnx"));
}

TEST(SensitivityUsage, a_mistake_is_named_before_anything_is_read) {
  const Arguments none = {"sensitivity", "none.onnx", "--data", "digits"};
  const auto with = [&](const Arguments& more) {
    Arguments all = none;
    all.insert(all.end(), more.begin(), more.end());
    return coppice(all);
  };
  EXPECT_TRUE(fails(coppice({"sensitivity", "none.onnx"}), 2, "--data"));
  EXPECT_TRUE(fails(with({"--ratios", "0.5,0.2"}), 2, "rising shares"));
  EXPECT_TRUE(fails(with({"--method", "slimming"}), 2, "unknown criterion 'slimming'"));
  EXPECT_TRUE(fails(with({"--oracle", "--ratios", "0.5"}), 2, "--ratios is for curves"));
  EXPECT_TRUE(fails(with({}), 3, "none.onnx"));
}

}  // namespace
}  // namespace coppice
