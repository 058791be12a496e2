// Options that tables declare (options/option.h), as CLI11 reads them and --help shows them.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "options/settings.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace coppice {

class GivenOptions {
 public:
  // Adds each once: another use of one that is there is of the same option.
  void add(CLI::App& app, const OptionList& options);
  // Must be given.
  void require(const Option& option);
  // Leaves only these in --help, with their own defaults.
  void show_only(const OptionList& options);

  bool has(const Option& option) const;
  // All that were given, with their values, in the order of the options.
  std::vector<std::pair<const Option*, std::string>> all() const;
  // Those that were given and `wanted` doesn't have, in their order.
  std::vector<const Option*> others(const OptionList& wanted) const;
  // Those that `options` has. Throws Error::usage for what is no value.
  Settings settings(OptionList options) const;

 private:
  struct Entry {
    const Option* option;
    CLI::Option* cli;
    std::vector<std::string> texts;  // as they were given
  };
  std::list<Entry> entries_;  // CLI11 keeps the addresses of the texts
};

}  // namespace coppice
