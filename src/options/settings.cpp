// Values are kept as normal texts: they are compared, saved and said again more often than read.
#include "options/settings.h"

#include <algorithm>

#include "core/error.h"

namespace coppice {
namespace {

// All values of an option, in their order; a flag that was given has an empty one.
std::vector<std::string> values_of(const Request& request, const std::string& option) {
  std::vector<std::string> values;
  for (const auto& [name, text] : request) {
    if (name == option) values.push_back(text);
  }
  return values;
}

// `missing` where there are no values, `flag` for one that has none.
std::string told(const std::vector<std::string>& values, const char* missing, const char* flag) {
  if (values.empty()) return missing;
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : ", ") + (value.empty() ? flag : "'" + value + "'");
  }
  return text;
}

}  // namespace

std::string OptionUse::default_text() const {
  if (usual) return *usual;
  if (*option->about().usual != '\0') return option->about().usual;
  return option->about().takes == Option::Takes::nothing ? "" : option->usual();
}

std::string OptionUse::help_text() const { return *help != '\0' ? help : option->about().help; }

OptionList under(const char* heading, OptionList options) {
  for (OptionUse& use : options) use.heading = heading;
  return options;
}

OptionList changed(OptionList options, const OptionUse& use) {
  const auto found = std::ranges::find(options, use.option, &OptionUse::option);
  COPPICE_CHECK(found != options.end(), "no option here: " + use.option->flag());
  if (use.usual) found->usual = use.usual;
  if (*use.help != '\0') found->help = use.help;
  return options;
}

bool has_option(const OptionList& options, const Option& option) {
  return std::ranges::find(options, &option, &OptionUse::option) != options.end();
}

OptionList joined(OptionList first, const OptionList& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

void Settings::set(const Option& option, const std::string& text) {
  COPPICE_CHECK(has_option(options_, option), "no option here: " + option.flag());
  std::string value = option.normal(text);
  std::vector<std::string>& values = values_[option.name()];
  if (option.about().takes != Option::Takes::values) values.clear();
  values.push_back(std::move(value));
}

std::string Settings::usual_of(const Option& option) const {
  const auto use = std::ranges::find(options_, &option, &OptionUse::option);
  return use != options_.end() && use->usual ? *use->usual : option.usual();
}

std::string Settings::text_of(const Option& option) const {
  if (has(option)) return values_.at(option.name()).back();
  const std::string usual = usual_of(option);
  if (usual.empty()) {
    fail_usage(option.flag() + " is missing: " + option.about().help + "; expected " +
               option.expected());
  }
  return usual;
}

Request Settings::decisive() const {
  Request request;
  for (const OptionUse& use : options_) {
    if (!has(*use.option)) continue;
    const bool flag = use.option->about().takes == Option::Takes::nothing;
    for (const std::string& value : values_.at(use.option->name())) {
      if (value != usual_of(*use.option)) {
        request.emplace_back(use.option->flag(), flag ? "" : value);
      }
    }
  }
  return request;
}

Request Settings::resolved() const {
  Request request;
  for (const OptionUse& use : options_) {
    if (has(*use.option)) {
      for (const std::string& value : values_.at(use.option->name())) {
        request.emplace_back(use.option->name(), value);
      }
    } else if (const std::string usual = usual_of(*use.option); !usual.empty()) {
      request.emplace_back(use.option->name(), usual);
    }
  }
  return request;
}

std::optional<std::string> first_difference(const Request& now, const Request& before,
                                            const std::string& began) {
  for (const Request& request : {before, now}) {
    for (const auto& [option, unused] : request) {
      const std::vector<std::string> was = values_of(before, option), is = values_of(now, option);
      if (was == is) continue;
      return option + " is " + told(is, "left out", "given") + ", " + began + " " +
             told(was, "it left out", "it");
    }
  }
  return std::nullopt;
}

}  // namespace coppice
