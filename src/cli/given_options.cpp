#include "cli/given_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "report/layout.h"

namespace coppice {
namespace {

constexpr size_t kWidth = 66;  // of a help text beside the names

std::string help_of(const OptionUse& use) {
  const std::string usual = use.default_text();
  std::string text;
  for (const std::string& line :
       wrapped(use.help_text() + (usual.empty() ? "" : " (default " + usual + ")"), kWidth)) {
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

}  // namespace

void GivenOptions::add(CLI::App& app, const OptionList& options) {
  for (const OptionUse& use : options) {
    const Option& option = *use.option;
    if (std::ranges::find(entries_, &option, &Entry::option) != entries_.end()) continue;
    Entry& entry = entries_.emplace_back(&option, nullptr, std::vector<std::string>());
    if (option.about().takes == Option::Takes::nothing) {
      entry.cli = app.add_flag(option.flag())->each([&entry](const std::string& text) {
        entry.texts = {text};
      });
    } else {
      entry.cli = app.add_option(option.flag(), entry.texts)->allow_extra_args(false);
      if (option.about().takes == Option::Takes::value) entry.cli->expected(1);
      entry.cli->type_name(option.about().unit);
      // Known at once to be none, before a run's folder is made.
      entry.cli->each([&option](const std::string& text) { option.normal(text); });
    }
    entry.cli->description(help_of(use));
    if (*use.heading != '\0') entry.cli->group(use.heading);
  }
}

void GivenOptions::require(const Option& option) {
  std::ranges::find(entries_, &option, &Entry::option)->cli->required();
}

void GivenOptions::show_only(const OptionList& options) {
  for (Entry& entry : entries_) {
    const auto use = std::ranges::find(options, entry.option, &OptionUse::option);
    if (use == options.end()) {
      entry.cli->group("");
    } else {
      entry.cli->description(help_of(*use));
    }
  }
}

bool GivenOptions::has(const Option& option) const {
  const auto entry = std::ranges::find(entries_, &option, &Entry::option);
  return entry != entries_.end() && !entry->texts.empty();
}

std::vector<std::pair<const Option*, std::string>> GivenOptions::all() const {
  std::vector<std::pair<const Option*, std::string>> all;
  for (const Entry& entry : entries_) {
    for (const std::string& text : entry.texts) all.emplace_back(entry.option, text);
  }
  return all;
}

std::vector<const Option*> GivenOptions::others(const OptionList& wanted) const {
  std::vector<const Option*> others;
  for (const Entry& entry : entries_) {
    if (!entry.texts.empty() && !has_option(wanted, *entry.option)) {
      others.push_back(entry.option);
    }
  }
  return others;
}

Settings GivenOptions::settings(OptionList options) const {
  Settings settings(std::move(options));
  for (const Entry& entry : entries_) {
    if (!has_option(settings.options(), *entry.option)) continue;
    for (const std::string& text : entry.texts) settings.set(*entry.option, text);
  }
  return settings;
}

}  // namespace coppice
