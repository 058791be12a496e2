#include "methods/option_owners.h"

#include <algorithm>
#include <map>

namespace coppice {
namespace {

std::vector<const Method*> owners_of(const Option& option) {
  std::vector<const Method*> owners;
  for (const Method& method : methods()) {
    if (has_option(options_of(method), option)) owners.push_back(&method);
  }
  return owners;
}

// "a, b and c"
std::string joined(const std::vector<std::string>& names, const std::string& last = " and ") {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : last) + names[i];
  }
  return text;
}

std::string default_of(const Method& method, const Option& option) {
  const OptionList options = options_of(method);
  return std::ranges::find(options, &option, &OptionUse::option)->default_text();
}

// One text for all owners: the default of most, and by name those of the others.
std::string default_of_all(const std::vector<const Method*>& owners, const Option& option) {
  std::map<std::string, std::vector<std::string>> names;  // by default
  for (const Method* method : owners) {
    if (const std::string usual = default_of(*method, option); !usual.empty()) {
      names[usual].push_back(method->name);
    }
  }
  const auto most =
      std::ranges::max_element(names, {}, [](const auto& entry) { return entry.second.size(); });
  if (names.size() == 1 || (most != names.end() && most->second.size() > 1)) {
    std::string text = most->first;
    names.erase(most);
    for (const auto& [usual, methods] : names) text += "; " + joined(methods) + " " + usual;
    return text;
  }
  std::string text;
  for (const auto& [usual, methods] : names) {
    text += (text.empty() ? "" : ", ") + joined(methods) + " " + usual;
  }
  return text;
}

// What CLI11 shows as headings must outlive it.
const char* heading_of(const Method& method) {
  static std::map<std::string, std::string> headings;
  return headings.try_emplace(method.name, "Of --method " + method.name).first->second.c_str();
}

}  // namespace

OptionList options_of_all_methods() {
  OptionList all;
  for (const Method& method : methods()) {
    for (OptionUse use : options_of(method)) {
      if (has_option(all, *use.option)) continue;
      const std::vector<const Method*> owners = owners_of(*use.option);
      use.usual = default_of_all(owners, *use.option);
      if (owners.size() == 1 && methods().size() > 1) use.heading = heading_of(method);
      all.push_back(use);
    }
  }
  return all;
}

std::string methods_with(const Option& option) {
  const std::vector<const Method*> owners = owners_of(option);
  if (owners.size() == methods().size()) return "every method";
  const auto cuts = [](const Method& method) { return method.kind == Method::Kind::structured; };
  const auto owns = [&](const Method& method) {
    return std::ranges::find(owners, &method) != owners.end();
  };
  if (std::ranges::all_of(methods(), [&](const Method& m) { return cuts(m) == owns(m); })) {
    return "a method that cuts channels";
  }
  std::vector<std::string> names;
  for (const Method* method : owners) names.push_back(method->name);
  return "--method " + joined(names, " or ");
}

}  // namespace coppice
