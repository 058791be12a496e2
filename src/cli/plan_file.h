// Plans as files: plan.json, and beside it the folder plan.masks with one npy file for each mask.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/files.h"
#include "prune/plan.h"

namespace coppice {

// `seed`: of a zoo model. Throws Error::input with the path for what is no plan, and when the
// plan's SHA-256 isn't the model's; a plan without one is taken as it is.
Plan read_plan(const std::string& path, const std::string& model, uint64_t seed);

// A plan on its way to disk: all of it is written beside its place, and moved there by `commit`.
class PlanFile {
 public:
  // Throws Error::input where nothing can be written.
  explicit PlanFile(std::filesystem::path path);
  ~PlanFile();  // removes what wasn't committed
  PlanFile(const PlanFile&) = delete;
  PlanFile& operator=(const PlanFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // The plan will have masks: throws Error::input if their folder holds what isn't a mask, which
  // `commit` would remove.
  void expect_masks();
  void write(Plan plan);
  void commit();

 private:
  void write_masks(Plan& plan);

  std::filesystem::path path_, folder_, staged_;  // staged_: empty without masks
  AtomicFile json_;
};

}  // namespace coppice
