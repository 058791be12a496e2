#include "methods/options/option_owners.h"

#include <algorithm>
#include <map>

namespace coppice {
namespace {

struct Owner {
  const Method* method;
  OptionUse use;
};

std::vector<Owner> owners_of(const Option& option) {
  std::vector<Owner> owners;
  for (const Method& method : methods()) {
    const OptionList options = options_of(method);
    const auto use = std::ranges::find(options, &option, &OptionUse::option);
    if (use != options.end()) owners.push_back({&method, *use});
  }
  return owners;
}

// One text for all owners: the default of most, and by name those of the others.
std::string default_of_all(const std::vector<Owner>& owners) {
  std::map<std::string, std::vector<std::string>> names;  // by default
  for (const Owner& owner : owners) {
    if (const std::string usual = owner.use.default_text(); !usual.empty()) {
      names[usual].push_back(owner.method->name);
    }
  }
  std::string text;
  const auto most =
      std::ranges::max_element(names, {}, [](const auto& entry) { return entry.second.size(); });
  const char* separator = ", ";
  if (names.size() == 1 || (most != names.end() && most->second.size() > 1)) {
    text = most->first;
    names.erase(most);
    separator = "; ";
  }
  for (const auto& [usual, methods] : names) {
    text += (text.empty() ? "" : separator) + listed(methods, " and ") + " " + usual;
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
      const std::vector<Owner> owners = owners_of(*use.option);
      use.usual = default_of_all(owners);
      if (owners.size() == 1 && methods().size() > 1) use.heading = heading_of(method);
      all.push_back(use);
    }
  }
  return all;
}

OptionList options_of_methods(const std::function<bool(const Method&)>& wanted) {
  OptionList theirs;
  for (const Method& method : methods()) {
    if (wanted(method)) theirs = joined(std::move(theirs), options_of(method));
  }
  OptionList some = options_of_all_methods();
  std::erase_if(some, [&](const OptionUse& use) { return !has_option(theirs, *use.option); });
  return some;
}

std::string methods_with(const Option& option) {
  const std::vector<Owner> owners = owners_of(option);
  if (owners.size() == methods().size()) return "every method";
  const auto cuts = [](const Method& method) { return method.kind == Method::Kind::structured; };
  const auto is_control = [](const Method& m) { return m.kind == Method::Kind::control; };
  const auto owns = [&](const Method& method) {
    return std::ranges::find(owners, &method, &Owner::method) != owners.end();
  };
  if (std::ranges::all_of(methods(), [&](const Method& m) { return is_control(m) || owns(m); })) {
    return "every method but controls";
  }
  if (std::ranges::all_of(methods(),
                          [&](const Method& m) { return is_control(m) || cuts(m) == owns(m); })) {
    return "a method that cuts channels";
  }
  std::vector<std::string> names;
  for (const Owner& owner : owners) names.push_back(owner.method->name);
  return "--method " + listed(names, " or ");
}

}  // namespace coppice
