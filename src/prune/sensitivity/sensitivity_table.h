// What was measured of how much a model depends on its groups, and on what: group by group the loss
// against the units that left (curves), or the loss without each single unit (ablations).
// Written as JSON:
//
//   {"sensitivity": 1, "kind": "curves" | "ablations", "model": {"file", "sha256"},
//    "request": [[option, value], ...], "judged_by": "...", "images": N,
//    "measure": "accuracy" | "output error", "base": {"value", "loss"},
//    "groups": [{"name", "units", "done",
//                "points": [{"ratio", "leaving", "value", "loss"}],      of curves
//                "losses": [...]}]}                                      of ablations, unit by unit
//
// A number that isn't finite is null.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options/settings.h"

namespace coppice {

struct CurvePoint {
  double ratio = 0;     // as it was asked for
  int64_t leaving = 0;  // of the group's units, those that a criterion scores least
  double value = 0;     // the share of the images that is got right, or the outputs' relative error
  // What adds up where several groups lose units: the mean loss of a classifier, or the square of
  // the outputs' relative error.
  double loss = 0;
  friend bool operator==(const CurvePoint&, const CurvePoint&) = default;
};

struct GroupSensitivity {
  std::string name;  // of the group
  int64_t units = 0;
  bool done = false;                    // all that was to be measured of it was
  std::vector<CurvePoint> points = {};  // rising in `leaving`; may end early, or be empty
  std::vector<double> losses = {};  // of units from the first on; not finite: can't be cut alone
  friend bool operator==(const GroupSensitivity&, const GroupSensitivity&) = default;
};

struct SensitivityTable {
  enum class Kind { curves, ablations };
  // accuracy: by labels; output_error: against the original's outputs.
  enum class By { accuracy, output_error };

  Kind kind = Kind::curves;
  std::string model_file, model_sha256;
  Request request;        // everything that the result depends on, beside the model
  std::string judged_by;  // "held-out training images"
  int64_t images = 0;
  By by = By::accuracy;
  double value = 0, loss = 0;  // of the original
  std::vector<GroupSensitivity> groups;

  bool done() const;
  friend bool operator==(const SensitivityTable&, const SensitivityTable&) = default;
};
const char* name_of(SensitivityTable::By by);  // "accuracy", "output error"

std::string to_json(const SensitivityTable& table);
// Throws Error::input naming what is missing or no such value.
SensitivityTable sensitivity_from_json(const std::string& text);
// With the path in the message.
SensitivityTable read_sensitivity(const std::string& path);

}  // namespace coppice
