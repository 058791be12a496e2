// A method that is added by one file (toy_method.cpp) has all that users expect of one.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using testing::HasSubstr;
using testing::Not;

class ToyMethod : public testing::Test {
 protected:
  const TempDir dir_;
  const std::string out_ = dir_ / "out.onnx";

  Arguments prune(const Arguments& more) const {
    Arguments arguments = {"prune",    "zoo:lenet5",     "-o",        out_,
                           "--method", "first-channels", "--latency", "off"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

TEST_F(ToyMethod, prunes_by_its_option_and_says_so) {
  const Ran ran = coppice(prune({"--tilt", "0.50", "--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.json()["settings"]["tilt"], "0.5");
  EXPECT_EQ(ran.json()["settings"]["keep-macs"], "0.5");
  const nlohmann::json plan = nlohmann::json::parse(read_text(dir_ / "out.plan.json"));
  EXPECT_EQ(plan["method"], "first-channels");
  // The first channels: 0, 1, 2, ...
  const auto keep = plan["slices"].front()["keep"].get<std::vector<int64_t>>();
  for (size_t i = 0; i < keep.size(); ++i) EXPECT_EQ(keep[i], static_cast<int64_t>(i));
}

TEST_F(ToyMethod, is_said_again_with_its_option) {
  const Ran tilted = coppice(prune({"--tilt", "0.5"}));
  EXPECT_THAT(tilted.out, HasSubstr("--method first-channels --keep-macs 0.5 --for "));
  EXPECT_THAT(tilted.out, HasSubstr(" --tilt 0.5"));
  EXPECT_THAT(coppice(prune({"--tilt", "0.25"})).out, Not(HasSubstr("--tilt"))) << "its default";
}

TEST_F(ToyMethod, reads_its_option_from_a_file) {
  write_text(dir_ / "options.toml", "tilt = 0.75\n");
  const Ran ran = coppice(prune({"--config", dir_ / "options.toml", "--json"}));
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.json()["settings"]["tilt"], "0.75");
}

TEST_F(ToyMethod, refuses_what_its_option_is_not) {
  EXPECT_TRUE(fails(coppice(prune({"--tilt", "2"})), 2, "--tilt 2: expected a number from 0 to 1"));
  EXPECT_TRUE(fails(coppice(prune({"--lambda", "1"})), 2,
                    "--lambda is for --method slimming, found --method first-channels"));
  EXPECT_TRUE(fails(coppice({"prune", "zoo:lenet5", "-o", out_, "--tilt", "0.5"}), 2,
                    "--tilt is for --method first-channels, found --method l2"));
  EXPECT_EQ(names_in(dir_.path()), std::set<std::string>{});
}

TEST_F(ToyMethod, its_help_is_of_its_own_options) {
  const std::string help = coppice({"prune", "--method", "first-channels", "--help"}).out;
  EXPECT_THAT(help, HasSubstr("how much later channels count less (default 0.25)"));
  EXPECT_THAT(help, HasSubstr("--keep-macs"));
  EXPECT_THAT(help, HasSubstr("--epochs"));
  EXPECT_THAT(help, Not(HasSubstr("--lambda")));
  EXPECT_THAT(coppice({"prune", "--help"}).out, HasSubstr("Of --method first-channels"));
}

TEST_F(ToyMethod, stands_in_the_list_with_its_option) {
  const nlohmann::json list = coppice({"methods", "--json"}).json();
  for (const nlohmann::json& method : list["methods"]) {
    if (method["name"] != "first-channels") continue;
    const auto& options = method["options"];
    const auto tilt =
        std::ranges::find_if(options, [](const auto& o) { return o["name"] == "tilt"; });
    ASSERT_NE(tilt, options.end());
    EXPECT_EQ((*tilt)["expected"], "a number from 0 to 1");
    EXPECT_EQ((*tilt)["default"], "0.25");
    return;
  }
  FAIL() << "not in the list";
}

}  // namespace
}  // namespace coppice
