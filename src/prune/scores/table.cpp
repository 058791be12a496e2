// All criteria: one line each. To add one, see CONTRIBUTING.md.

#include "core/error.h"
#include "prune/scores/criterion.h"

namespace coppice {

extern const Criterion kApoz, kBnScale, kFpgm, kL1, kL2, kMeanActivation, kMinWeight,
    kMutualInformation, kRandom, kReconstruction, kStdActivation, kTaylor, kTaylorFo;

std::span<const Criterion> criteria() {
  static const Criterion kCriteria[] = {kL1,
                                        kL2,
                                        kMinWeight,
                                        kFpgm,
                                        kReconstruction,
                                        kBnScale,
                                        kMeanActivation,
                                        kStdActivation,
                                        kApoz,
                                        kMutualInformation,
                                        kTaylor,
                                        kTaylorFo,
                                        kRandom};
  return kCriteria;
}

const Criterion& find_criterion(std::string_view name) {
  std::string names;
  for (const Criterion& criterion : criteria()) {
    if (criterion.name == name) return criterion;
    names += (names.empty() ? "" : ", ") + std::string(criterion.name);
  }
  fail_usage("unknown criterion '" + std::string(name) + "', expected one of " + names);
}

}  // namespace coppice
