// See config_file.h. CLI11 opens the file and asks for items; options are set here instead, while
// the line is known.
#include "cli/config_file.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "cli/commands/commands.h"
#include "core/error.h"
#include "core/words/nearest.h"

namespace coppice {
namespace {

// As short as reads back to the same number.
std::string number_text(double number) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

std::string text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return number_text(number->get());
  if (const auto* yes = node.as_boolean()) return yes->get() ? "on" : "off";
  fail_usage("expected a number, a text, true or false, or a list of these");
}

class ConfigFile : public CLI::Config {
 public:
  ConfigFile(CLI::App& app, std::string command) : app_(app), command_(std::move(command)) {}

  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return ""; }

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    read(parsed(input));
    return {};
  }

 private:
  std::string where(uint32_t line) const {
    return "'" + app_.get_config_ptr()->as<std::string>() + "', line " + std::to_string(line);
  }

  toml::table parsed(std::istream& input) const {
    try {
      return toml::parse(input);
    } catch (const toml::parse_error& error) {
      std::string why(error.description());
      if (!why.empty()) why[0] = static_cast<char>(std::tolower(why[0]));
      fail_usage(where(error.source().begin.line) + ": " + why + "; expected TOML");
    }
  }

  void read(const toml::table& file) const {
    for (const auto& [key, node] : file) {
      const std::string name(key.str());
      within(where(node.source().begin.line), [&, &value = node] {
        if (!value.is_table()) return set(name, value);
        require_command(name);
      });
      if (node.is_table() && name == command_) read_own(*node.as_table());
    }
  }

  void read_own(const toml::table& table) const {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      within(where(node.source().begin.line), [&, &value = node] { set(name, value); });
    }
  }

  static void require_command(const std::string& name) {
    std::vector<std::string> names;
    for (const Command& command : commands()) names.emplace_back(command.name);
    if (std::ranges::find(names, name) != names.end()) return;
    fail_usage("[" + name + "] is no command" + did_you_mean(name, names));
  }

  CLI::Option& option(const std::string& name) const {
    std::vector<std::string> names;
    for (CLI::Option* option : app_.get_options()) {
      for (const std::string& own : option->get_lnames()) {
        if (own == name && option->get_configurable()) return *option;
        names.push_back(own);
      }
    }
    fail_usage("'coppice " + command_ + "' has no option '" + name + "'" +
               did_you_mean(name, names));
  }

  void set(const std::string& name, const toml::node& node) const {
    CLI::Option& option = this->option(name);
    if (!option.empty()) return;  // the command line goes first
    const bool flag = option.get_expected_max() == 0;
    if (flag && !node.is_boolean()) fail_usage("'" + name + "': expected true or false");
    if (flag && !node.as_boolean()->get()) return;
    try {
      option.add_result(flag ? std::vector<std::string>{"true"} : texts_for(option, node));
      option.run_callback();
    } catch (const CLI::Error& error) {
      fail_usage(error.what());
    }
  }

  // A list is several values for an option that takes them, else one with commas.
  static std::vector<std::string> texts_for(const CLI::Option& option, const toml::node& node) {
    const toml::array* list = node.as_array();
    if (!list) return {text_of(node)};
    std::vector<std::string> texts;
    for (const toml::node& one : *list) texts.push_back(text_of(one));
    if (option.get_expected_max() > 1) return texts;
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : ",") + text;
    return {all};
  }

  CLI::App& app_;
  std::string command_;
};

}  // namespace

std::shared_ptr<CLI::Config> config_file(CLI::App& app, const std::string& command) {
  return std::make_shared<ConfigFile>(app, command);
}

}  // namespace coppice
