// Judges many cuts of one model, each of one group's units, by the same images and the runtime
// alone. The images stay in memory, preprocessed; what lies before a group's first layer is
// computed once for all cuts of it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "data/dataset.h"
#include "groups/traced.h"
#include "prune/sensitivity/sensitivity_table.h"
#include "tasks/parts/watcher.h"

namespace coppice {

class CutJudge {
 public:
  struct Judged {
    double value = 0, loss = 0;  // as in CurvePoint
  };

  // `indices`: which images; at least one. Throws Error::interrupted where the watcher asks for it,
  // as all functions here do, and what reading and preprocessing the images throw. Keeps nothing of
  // the data set; `traced` and the watcher live as long. Requires: for By::accuracy
  // require_classifier, for output_error why_not_for_images says nothing.
  CutJudge(const Traced& traced, const Dataset& dataset, const std::vector<int64_t>& indices,
           const Preprocessing& preprocessing, SensitivityTable::By by, Watcher& watcher);
  ~CutJudge();

  const Judged& original() const;
  // The cuts from here on are of this group.
  void look_at(size_t group);
  // Nothing where the units can't leave by themselves (a size is computed in a way that can't be
  // repaired). Requires: only units of the group leave, and not all of any axis.
  std::optional<Judged> judge(const Removal& removal);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice
