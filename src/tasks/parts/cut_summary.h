// What a cut changed, as data and as JSON: what `prune` and `apply` come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "methods/outcome.h"
#include "model/load.h"
#include "report/json.h"
#include "runtime/latency.h"
#include "tasks/parts/density.h"
#include "tasks/parts/runtime_fit.h"
#include "training/judging/evaluation.h"

namespace coppice {

struct CutSide {
  Costs costs;
  int64_t bytes = 0;
  std::optional<Evaluation> accuracy;
  std::optional<Latency> latency = {};   // at batch 1
  std::optional<Latency> deployed = {};  // the same in CutSummary::engine
};

// Shares of the images held out that the model got right before the cut, after it, and once it was
// trained.
struct HeldOutTop1 {
  double original = 0, cut = 0, tuned = 0;
};
// From TrainingRun::to_json; nothing where one of the three wasn't judged.
std::optional<HeldOutTop1> held_out_top1(const Json& training);

// A budget as it was asked for, in shares, and what came of it.
struct BudgetMet {
  std::string option;  // "--keep-macs"
  double asked = 0, got = 0;
  bool notable() const;  // they differ by more than a tenth of what was asked
};

struct CutSummary {
  std::string model, output, plan, method;
  CutSide before, after;
  DensityChange density;
  std::vector<LayerDensity> layers = {};  // where weights were masked
  std::vector<GroupCut> groups;
  std::vector<ResultTable> tables = {};  // the method's own
  int64_t rounding_moved = 0;
  std::string engine = {};  // that people deploy in, and its version; empty where none is here
  std::optional<RuntimeFit> fit = {};  // to the runtime that it is for
  std::optional<Recovered> recovered;
  std::optional<HeldOutTop1> held_out = {};
  std::optional<BudgetMet> budget = {};
  bool could_recover = false;              // it wasn't asked for, and there is something to go by
  bool changed = true, masked = false;     // something was cut or masked; was masked
  bool reordered = false;                  // channels changed places, which leaves what is computed
  bool verified = false, trained = false;  // trained: after what was verified
  std::optional<Proof> proof;
  std::optional<ZeroedFilters> zeroed_filters;
  std::string stored;    // "float16": what weights are written in, where that isn't float32
  std::string unproved;  // why nothing was, where nobody asked for that
  std::string proof_inputs;
  std::string judged_by;  // accuracy: by which images
  double seconds = 0;     // from the start until the files were in place
  std::string command;    // that does the same again
};

// All but latency and accuracy, which are measured apart, and the costs in bytes.
CutSummary summarise(const Model& model, const Outcome& outcome);

// What was compared, on inputs such as "2x3x32x32".
Json to_json(const Proof& proof, const std::string& inputs);
// {KEY: [a row, ...]}, after what all rows have in common.
Json to_json(const ResultTable& table);
Json to_json(const CutSummary& summary);

}  // namespace coppice
