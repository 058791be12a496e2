// The options that something has, and what a user set of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "options/option.h"

namespace coppice {

// An option as one of its owners has it.
struct OptionUse {
  const Option* option;
  std::optional<std::string> usual = {};  // this owner's default, in place of the option's
  const char* heading = "";               // that a help text puts it under
  const char* help = "";                  // what it does for this owner, in place of the option's

  // The default as a help text says it; empty where there is none.
  std::string default_text() const;
  std::string help_text() const;
};

// In the order in which help texts, commands said again and reports have them.
using OptionList = std::vector<OptionUse>;

// The same options under one heading.
OptionList under(const char* heading, OptionList options);
// The same with another default for one of them, or another help text, where those are given.
OptionList changed(OptionList options, const OptionUse& use);
bool has_option(const OptionList& options, const Option& option);
OptionList joined(OptionList first, const OptionList& second);

// What a run was asked to do, option by option; a run goes on only with the same.
using Request = std::vector<std::pair<std::string, std::string>>;
// "--lr is '0.1', the run began with '0.2'", `began` being "the run began with"; nothing where both
// say the same, in whatever order.
std::optional<std::string> first_difference(const Request& now, const Request& before,
                                            const std::string& began);

class Settings {
 public:
  Settings() = default;  // every option at its own default
  explicit Settings(OptionList options) : options_(std::move(options)) {}

  const OptionList& options() const { return options_; }
  // Requires: one of the options. Adds a value where it takes several, else replaces it. Throws
  // Error::usage for what is no value of it.
  void set(const Option& option, const std::string& text);
  bool has(const Option& option) const { return values_.contains(option.name()); }

  // What was set, or else the default. Throws Error::usage where there is neither.
  template <typename T>
  T operator[](const OptionOf<T>& option) const {
    return option.read(text_of(option));
  }
  template <typename T>
  std::optional<T> given(const OptionOf<T>& option) const {
    if (!has(option)) return std::nullopt;
    return option.read(values_.at(option.name()).back());
  }
  // Of an option that takes several.
  template <typename T>
  std::vector<T> all(const OptionOf<T>& option) const {
    std::vector<T> values;
    if (!has(option)) return values;
    for (const std::string& text : values_.at(option.name())) values.push_back(option.read(text));
    return values;
  }

  // The flags and values that were set and aren't the default; a flag's value is empty.
  Request decisive() const;
  // Name and value of every option that has one, set or not.
  Request resolved() const;

 private:
  std::string usual_of(const Option& option) const;
  std::string text_of(const Option& option) const;

  OptionList options_;
  std::map<std::string, std::vector<std::string>> values_;  // by name, in normal form
};

}  // namespace coppice
