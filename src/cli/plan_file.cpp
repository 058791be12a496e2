// See plan_file.h.
#include "cli/plan_file.h"

#include "cli/model.h"
#include "core/error.h"
#include "core/files.h"

namespace coppice {

Plan read_plan(const std::string& path, const std::string& model, uint64_t seed) {
  std::future<std::string> sha256 = model_sha256(model, seed);
  const std::string text = read_text(path);
  Plan plan = within("'" + path + "'", [&] { return plan_from_json(text); });
  const std::string found = sha256.get();
  if (!plan.model_sha256.empty() && plan.model_sha256 != found) {
    fail_input("plan '" + path + "' was made for another model: '" + plan.model_file +
               "' with SHA-256 " + plan.model_sha256.substr(0, 12) + "..., but '" + model +
               "' has " + found.substr(0, 12) + "...");
  }
  return plan;
}

}  // namespace coppice
