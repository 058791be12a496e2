// The reference in docs/methods.md is what the table of methods says. COPPICE_WRITE_DOCS=1 (that is
// what './dev docs' sets) writes it anew instead of comparing.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/files.h"
#include "methods/options/option_owners.h"

namespace coppice {
namespace {

const std::filesystem::path kPath = std::filesystem::path(COPPICE_SOURCE_DIR) / "docs/methods.md";
constexpr char kBegin[] = "<!-- The rest is written by ./dev docs from the table of methods. -->\n";

// '|' would end a cell of the table.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\\|");
  }
  return text;
}

std::string names_of(const OptionList& options) {
  std::string names;
  for (const OptionUse& use : options) {
    names += (names.empty() ? "`" : ", `") + use.option->flag() + "`";
  }
  return names;
}

std::string row_of(const OptionUse& use) {
  const Option& option = *use.option;
  const bool flag = option.about().takes == Option::Takes::nothing;
  return "| `" + option.flag() + "` | " + cell(use.help_text()) + " | " +
         (flag ? "" : cell(option.expected())) + " | " + cell(use.default_text()) + " | " +
         methods_with(option) + " |\n";
}

std::string reference() {
  std::string text = std::string(kBegin) + "\n# Reference\n\n";
  for (const Method& method : methods()) {
    text += "## " + method.name + "\n\n`--method " + method.name + "` " + method.about +
            ". It needs " + method.needs + ".\n\nSource: " + method.paper + ".\n\n";
    if (!method.differs.empty()) text += "Differs: " + method.differs + ".\n\n";
    text += "Options: " + names_of(method.options) + ".\n\n";
  }
  text +=
      "## Options\n\n| option | what it does | value | default | of |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const OptionUse& use : options_of_all_methods()) text += row_of(use);
  return text;
}

TEST(MethodsDoc, its_reference_is_what_the_table_says) {
  const std::string before = read_text(kPath);
  const size_t begin = before.find(kBegin);
  ASSERT_NE(begin, std::string::npos) << "no place for the reference";
  const std::string written = before.substr(0, begin) + reference();
  if (std::getenv("COPPICE_WRITE_DOCS")) write_text(kPath, written);
  EXPECT_EQ(read_text(kPath), written) << "run './dev docs'";
}

}  // namespace
}  // namespace coppice
