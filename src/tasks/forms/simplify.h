// The same model in a form that other tools read more easily: its own functions as their nodes,
// constants folded, nodes that do nothing left out; and, where that is asked for, in another opset,
// without BatchNormalization.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "options/settings.h"
#include "report/json.h"
#include "tasks/parts/common.h"
#include "tasks/parts/watcher.h"
#include "verify/compare.h"

namespace coppice {

OptionList options_of_simplify();

struct SimplifyRequest {
  std::string model, output;
  Settings settings = Settings(options_of_simplify());
  CommonRequest common = {};
};

struct FormSide {
  int64_t nodes = 0, opset = 0, bytes = 0;
};

struct SimplifyReport {
  std::string model, output;
  FormSide before, after;
  int64_t inlined = 0;         // calls of the file's own functions
  std::optional<Proof> proof;  // nothing with --verify off
  std::string proof_inputs;    // "2x3x32x32"
};

// Throws Error::internal, and writes nothing, where the outputs changed.
SimplifyReport simplify(const SimplifyRequest& request, Watcher& watcher);

Json to_json(const SimplifyReport& report);

}  // namespace coppice
