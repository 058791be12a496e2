// How much a model depends on each of its groups: the accuracy against the share of its units that
// leaves, group by group, or, with kOracle, without each single unit, and how well every criterion
// foretells that. Without labels that fit, the outputs' error stands for the accuracy.
//
// Source: the curves are those of Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017,
// arXiv:1608.08710, Sec. 3.2; the oracle that of Molchanov et al., ICLR 2017, arXiv:1611.06440,
// Sec. 2.2 and 3.3 (oracle-abs).
// Differs: coupled layers lose units together; judged by training images that training here holds
// out, where the papers use test or validation images.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "options/settings.h"
#include "prune/sensitivity/sensitivity_table.h"
#include "report/json.h"
#include "tasks/parts/common.h"
#include "tasks/parts/watcher.h"

namespace coppice {

extern const TextOption<std::string> kRankedBy;  // "method"
extern const TextOption<std::vector<double>> kRatios;
extern const CountOption kJudgingImages;
extern const NumberOption kStopDrop;
extern const ChoiceOption<SensitivityTable::By> kJudgeBy;
extern const FlagOption kOracle;

// Those above, data, what scores of coupled layers become, and the criteria's own.
OptionList options_of_sensitivity();

struct SensitivityRequest {
  std::string model;
  std::string output = {};  // keeps what was measured, and is gone on with; empty: nothing is kept
  Settings settings = Settings(options_of_sensitivity());  // data are needed
  CommonRequest common = {};
};

// How far a criterion's scores go with what really is lost without a unit
// (prune/sensitivity/rank_correlation.h).
struct CriterionCorrelation {
  std::string criterion;
  std::string why_not = {};  // empty: it could score
  // Mean over the groups; over all units as the criterion scores them; and with each group's scores
  // divided by their Euclidean norm. Nothing where there is but one unit.
  std::optional<double> by_group = {}, all = {}, all_normalised = {};
  std::vector<std::optional<double>> groups = {};  // of the table's; nothing where it has no score
};

struct SensitivityReport {
  SensitivityTable table;
  std::string model, output;
  std::vector<CriterionCorrelation> correlations;  // of the oracle: all criteria that there are
};

// Throws Error::usage for settings that contradict each other, or no data.
void check(const SensitivityRequest& request);
// The file is written after every group, and where the watcher stops it. Throws Error::input where
// the file holds something else, Error::target where no group can lose anything.
SensitivityReport sensitivity(const SensitivityRequest& request, Watcher& watcher);

Json to_json(const SensitivityReport& report);

}  // namespace coppice
