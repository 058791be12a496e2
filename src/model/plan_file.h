// Plans as files: small.plan.json, and beside it the folder small.plan.masks with one npy file for
// each mask, and all of them in one masks.npz, by the names of their tensors.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/paths/temporaries.h"
#include "prune/plan/plan.h"

namespace coppice {

// With its masks. Throws Error::input with the path for what is no plan.
Plan read_plan(const std::string& path);
// The files that its masks lie in.
std::vector<std::filesystem::path> mask_paths(const Plan& plan, const std::string& path);

// Whether a plan was made for just this file, by its SHA-256; a plan without one says yes. Names,
// shapes and the graph decide whether it fits another, such as the same net trained on.
bool made_for(const Plan& plan, const std::string& model_sha256);
// What to say where it wasn't.
std::string remark_on(const Plan& plan, const std::string& path, const std::string& model);

// Where the plan of the model `output` goes unless the user says: small.plan.json beside
// small.onnx.
std::filesystem::path usual_plan_path(const std::filesystem::path& output);

// A plan on its way to disk: all of it is written beside its place, and moved there by `commit`.
// Masks go first, with a copy of the plan among them until the plan is in its place, too: it says
// whose they are if that doesn't happen.
class PlanFile {
 public:
  // `output`: the name of the result that it will be the plan of. Throws Error::input where nothing
  // can be written, or where something else than a plan is, or another result's.
  PlanFile(std::filesystem::path path, std::string output);
  ~PlanFile();  // removes what wasn't committed
  PlanFile(const PlanFile&) = delete;
  PlanFile& operator=(const PlanFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::string& output() const { return output_; }
  // Where its masks go, if it has any.
  const std::filesystem::path& mask_folder() const { return folder_; }
  // The plan will have masks: throws Error::input if their folder holds what neither the plan that
  // is replaced nor one of this result that never came to its place names as its masks, since
  // `commit` would remove it.
  void expect_masks();
  void write(Plan plan);
  void commit();

 private:
  void write_masks(Plan& plan);
  void require_only_masks() const;
  std::filesystem::path place_masks();
  void remove_replaced_masks() const;

  std::filesystem::path path_;
  std::string output_;
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> replaced_masks_;
  Temporary staged_;  // the folder; without a path where there are no masks
  AtomicFile json_;
};

}  // namespace coppice
