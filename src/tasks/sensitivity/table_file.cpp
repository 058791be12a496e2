// See table_file.h.
#include "tasks/sensitivity/table_file.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "methods/method.h"
#include "methods/options/blocks.h"

namespace coppice {
namespace {

std::string shortened(const std::string& sha256) { return sha256.substr(0, 12) + "..."; }

std::string explain_model(const SensitivityTable& table, const std::string& path,
                          const std::string& sha256) {
  return "'" + path + "' is the sensitivity of another model ('" + table.model_file +
         "'): its SHA-256 is " + shortened(table.model_sha256) + ", this one's " +
         shortened(sha256);
}

// What ranked the units.
std::string method_of(const SensitivityTable& table) {
  for (const auto& [option, value] : table.request) {
    if (option == "--method") return value;
  }
  return kUsualMethod;
}

bool same_groups(const SensitivityTable& a, const SensitivityTable& b) {
  return std::ranges::equal(a.groups, b.groups, [](const auto& x, const auto& y) {
    return x.name == y.name && x.units == y.units;
  });
}

}  // namespace

std::optional<SensitivityTable> saved_table(const std::string& path,
                                            const SensitivityTable& wanted) {
  std::error_code gone;
  if (path.empty() || !std::filesystem::exists(path, gone)) return std::nullopt;
  const std::string otherwise = "; name another file, or delete this one to start anew";
  SensitivityTable table = within("-o", [&] { return read_sensitivity(path); },
                                  {option_hint("output", "", "names another file")});
  if (table.model_sha256 != wanted.model_sha256) {
    fail_input(explain_model(table, path, wanted.model_sha256) + otherwise);
  }
  if (table.kind != wanted.kind) {
    fail_usage("'" + path + "' holds " +
               (table.kind == SensitivityTable::Kind::curves ? "curves, found --oracle"
                                                             : "what --oracle measured") +
               otherwise);
  }
  const std::string began = "'" + path + "' was measured with";
  if (const auto difference = first_difference(wanted.request, table.request, began)) {
    fail_usage(*difference + otherwise);
  }
  if (!same_groups(table, wanted) || table.images != wanted.images || table.by != wanted.by) {
    fail_input("'" + path + "' was measured on other groups or images" + otherwise);
  }
  return table;
}

void save(const SensitivityTable& table, const std::string& path) {
  write_text(path, to_json(table));
}

std::shared_ptr<const SensitivityTable> sensitivity_for(const Settings& settings,
                                                        const PrunedModel& model,
                                                        Watcher& watcher) {
  const auto path = settings.given(kSensitivity);
  if (!path) return nullptr;
  auto table = std::make_shared<SensitivityTable>(read_sensitivity(*path));
  if (table->model_sha256 != model.sha256) {
    fail_input(explain_model(*table, *path, model.sha256) + "; measure '" + model.name + "'",
               {task_hint("sensitivity", "does")});
  }
  if (const std::string ranked = method_of(*table); ranked != model.method) {
    watcher.remark("'" + *path + "' was measured with the order of " + ranked + ", not of " +
                   model.method);
  }
  return table;
}

}  // namespace coppice
