// See compare.h.
#include "tasks/compare/compare.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"
#include "tasks/compare/runs.h"
#include "tasks/prune.h"
#include "tasks/runs/controls.h"
#include "tasks/runs/figures.h"

namespace coppice {
namespace {

bool is_given(const CompareRequest& request, const Option& option) {
  return std::ranges::any_of(request.given,
                             [&](const auto& entry) { return entry.first == &option; });
}

void require_controls(const std::vector<std::string>& controls) {
  for (const std::string& name : controls) {
    if (controls_in(name) != std::vector{name}) {
      fail_usage("unknown control '" + name + "', expected " + kControl.expected());
    }
    if (std::ranges::count(controls, name) > 1) fail_usage("control '" + name + "' is named twice");
  }
}

// Of methods that are named; where none is, those that lack one are rows that say so.
void require_options_of_all(const CompareRequest& request, const std::vector<std::string>& names) {
  const OptionList all = options_to_compare(request.methods);
  for (const auto& [option, value] : request.given) {
    if (has_option(all, *option)) continue;
    const auto lacks = std::ranges::find_if(names, [&, given = option](const std::string& name) {
      return !has_option(options_of(find_method(name)), *given);
    });
    fail_usage(option->flag() + " isn't an option of '" + *lacks +
               "', and a comparison gives all methods the same; leave one of the two out");
  }
}

}  // namespace

OptionList options_to_compare(const std::vector<std::string>& named) {
  const std::vector<std::string> names = methods_to_compare(named);
  OptionList all;
  for (size_t i = 0; i < names.size(); ++i) {
    const Method& method = find_method(names[i]);
    if (method.kind == Method::Kind::control) {
      fail_usage("'" + method.name + "' is a control; name it by --controls");
    }
    if (method.kind != Method::Kind::structured) {
      fail_usage("'" + method.name +
                 "' doesn't cut channels, and a comparison is of methods that do");
    }
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      fail_usage("method '" + names[i] + "' is named twice");
    }
    const OptionList own = options_of(method);
    if (named.empty()) {
      std::ranges::copy_if(own, std::back_inserter(all),
                           [&](const OptionUse& use) { return !has_option(all, *use.option); });
      continue;
    }
    if (i == 0) all = own;
    std::erase_if(all, [&](const OptionUse& use) { return !has_option(own, *use.option); });
  }
  return all;
}

void check(const CompareRequest& request) {
  const std::vector<std::string> names = methods_to_compare(request.methods);
  require_controls(request.controls);
  require_options_of_all(request, names);
  if (request.repeat < 1)
    fail_usage("--repeat " + std::to_string(request.repeat) +
               ", expected a whole number from 1 up");
  for (const Option* option : std::initializer_list<const Option*>{&kData, &kEpochs}) {
    if (is_given(request, *option)) continue;
    fail_usage("a comparison trains: add " + option->flag() + " " + option->about().unit);
  }
  // What one method can't be asked is its row's; what none can is wrong by itself.
  std::optional<Error> first;
  for (const std::string& name : names) {
    try {
      return check(PruneRequest{.model = request.model,
                                .output = request.folder,
                                .method = name,
                                .settings = settings_for(options_of(find_method(name)), request)});
    } catch (const Error& error) {
      if (!first) first = error;
    }
  }
  throw *first;
}

CompareReport compare(const CompareRequest& request, Watcher& watcher) {
  check(request);
  CompareReport report = run_all(request, watcher);
  AtomicFile file(std::filesystem::path(request.folder) / "compare.json");
  file.write(dumped(to_json(report), 2) + "\n");
  file.commit();
  return report;
}

Json to_json(const CompareReport& report) {
  Json rows = Json::array();
  for (const RunRow& row : report.rows) {
    const MeanAndDeviation found = mean_and_deviation(row.runs);
    Json json = {{"name", row.name}};
    if (!row.structure_of.empty()) json["structure_of"] = row.structure_of;
    if (!row.why_not.empty()) json["why_not"] = row.why_not;
    json["mean"] = found.mean;
    json["deviation"] = found.deviation;
    json["runs"] = row.runs;
    rows.push_back(std::move(json));
  }
  return {{"model", report.model},
          {"folder", report.folder},
          {"judged_by", report.judged_by},
          {"repeat", report.repeat},
          {"settings", report.settings},
          {"original", report.original},
          {"rows", rows}};
}

}  // namespace coppice
