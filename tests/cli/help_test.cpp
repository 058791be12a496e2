// What the command says about itself.
#include <gmock/gmock.h>

#include "cli/program.h"

namespace coppice {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kCommands[] = {"inspect", "prune", "compare",  "apply",   "eval", "verify",
                                     "bench",   "zoo",   "criteria", "methods", "data"};

TEST(Help, overview_names_every_command) {
  const Ran ran = coppice({"--help"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.err, "");
  for (const char* command : kCommands) {
    EXPECT_THAT(ran.out, HasSubstr(std::string("\n  ") + command));
  }
}

TEST(Help, every_command_explains_itself_with_examples) {
  for (const char* command : kCommands) {
    SCOPED_TRACE(command);
    const Ran ran = coppice({command, "--help"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.out, HasSubstr("Usage: coppice " + std::string(command)));
    EXPECT_THAT(ran.out, HasSubstr("Examples:\n  coppice " + std::string(command)));
    EXPECT_THAT(ran.out, HasSubstr("--json"));
  }
}

TEST(Help, the_version_is_one_line) {
  const Ran ran = coppice({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, testing::MatchesRegex("coppice [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Help, no_colours_or_bars_without_a_terminal) {
  const Ran ran = coppice({"inspect", "zoo:lenet5"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ((ran.out + ran.err).find('\x1b'), std::string::npos);
  EXPECT_EQ((ran.out + ran.err).find('\r'), std::string::npos);
}

TEST(Help, lists_come_as_text_and_as_json) {
  struct List {
    const char *command, *member, *field;
  };
  for (const auto& [command, member, field] :
       {List{"zoo", "resnet20", "paper"}, List{"methods", "l2", "needs"},
        List{"criteria", "fpgm", "scope"}, List{"data", "cifar10", "form"}}) {
    SCOPED_TRACE(command);
    EXPECT_THAT(coppice({command}).out, HasSubstr(member));
    const nlohmann::json list = coppice({command, "--json"}).json().at(command);
    const auto found =
        std::ranges::find_if(list, [&](const auto& x) { return x["name"] == member; });
    ASSERT_NE(found, list.end());
    EXPECT_FALSE(found->at(field).template get<std::string>().empty());
  }
}

}  // namespace
}  // namespace coppice
