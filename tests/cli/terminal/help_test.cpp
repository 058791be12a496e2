// What the command says about itself.
#include <gmock/gmock.h>

#include <cstdlib>

#include "cli/program.h"
#include "core/files.h"
#include "support/temp_dir.h"

namespace coppice {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kCommands[] = {"inspect",     "prune",   "compare", "apply", "eval",
                                     "sensitivity", "verify",  "bench",   "run",   "zoo",
                                     "criteria",    "methods", "data"};

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

TEST(ShellFiles, bash_completes_commands_options_and_words) {
  const TempDir dir;
  write_text(dir / "coppice", coppice({"help", "--for", "bash"}).out);
  const auto completed = [&](const std::string& words) {
    const std::string script = "source " + (dir / "coppice").string() + "; COMP_WORDS=(" + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _coppice; "
                               "echo \"${COMPREPLY[*]}\" >" +
                               (dir / "out").string();
    EXPECT_EQ(std::system(("bash -c '" + script + "'").c_str()), 0);
    return read_text(dir / "out");
  };
  EXPECT_EQ(completed("coppice pru"), "prune\n");
  EXPECT_EQ(completed("coppice prune --keep-ma"), "--keep-macs\n");
  EXPECT_EQ(completed("coppice prune --verify o"), "on off\n");
  EXPECT_EQ(completed("coppice prune --method fp"), "fpgm\n");
  EXPECT_EQ(completed("coppice bench model.onnx --ba"), "--batch\n");
}

TEST(ShellFiles, every_shell_and_page_has_every_option_of_a_command) {
  const std::string help = coppice({"verify", "--help"}).out;
  for (const char* what : {"bash", "zsh", "fish", "man:verify"}) {
    std::string text = coppice({"help", "--for", what}).out;
    std::erase(text, '\\');
    for (const char* flag : {"plan", "json", "threads", "seed"}) {
      EXPECT_THAT(help, HasSubstr("--" + std::string(flag)));
      EXPECT_THAT(text, HasSubstr(flag)) << what;
    }
  }
  EXPECT_THAT(coppice({"help", "--for", "man"}).out, HasSubstr("coppice\\-verify"));
  EXPECT_TRUE(fails(coppice({"help", "--for", "tcsh"}), 2, "expected bash, zsh, fish"));
}

}  // namespace
}  // namespace coppice
