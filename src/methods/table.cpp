// All methods: every criterion is one, and the others have a line each. To add one, see
// CONTRIBUTING.md.

#include <algorithm>

#include "core/error.h"
#include "core/words/nearest.h"
#include "methods/method.h"
#include "methods/one_shot/by_criterion.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "session/options/data_options.h"
#include "session/options/training_options.h"

namespace coppice {

extern const Method kAmc, kAsfp, kChannelPruning, kDeepCompression, kDsd, kEvolution, kGradual,
    kGrasp, kLottery, kMagnitude, kMetaPruning, kRandomSearch, kRandomStructure, kRigl, kScratchB,
    kScratchE, kSfp, kSlimming, kSnip, kSynflow;

namespace {

std::vector<Method>& table() {
  static std::vector<Method> all = [] {
    std::vector<Method> built;
    for (const Criterion& criterion : criteria()) built.push_back(method_by(criterion));
    for (const Method* method : {&kChannelPruning,
                                 &kSlimming,
                                 &kSfp,
                                 &kAsfp,
                                 &kMagnitude,
                                 &kDeepCompression,
                                 &kDsd,
                                 &kLottery,
                                 &kGradual,
                                 &kRigl,
                                 &kSnip,
                                 &kGrasp,
                                 &kSynflow,
                                 &kMetaPruning,
                                 &kAmc,
                                 &kEvolution,
                                 &kRandomSearch,
                                 &kScratchE,
                                 &kScratchB,
                                 &kRandomStructure}) {
      built.push_back(*method);
    }
    return built;
  }();
  return all;
}

}  // namespace

bool Method::decides_in_training(const Settings& settings) const {
  return !prune || (trains && trains(settings));
}

Method::Structure Method::whose_structure(const Settings& settings) const {
  if (structure) return structure(settings);
  const bool compares = kind == Kind::structured && has_option(settings.options(), kScope);
  return compares ? structure_by_scope(settings) : Structure::automatic;
}

const char* name_of(Method::Structure structure) {
  switch (structure) {
    case Method::Structure::predefined: return "predefined";
    case Method::Structure::automatic: return "automatic";
    case Method::Structure::given: return "given";
  }
  return "";
}

Method::Structure structure_by_scope(const Settings& settings) {
  if (has_option(settings.options(), kLayerRatio) && settings.has(kLayerRatio)) {
    return Method::Structure::predefined;
  }
  const bool by_sensitivity =
      has_option(settings.options(), kAllocate) && settings[kAllocate] == Allocate::by_sensitivity;
  return by_sensitivity || settings[kScope] == Ranked::globally ? Method::Structure::automatic
                                                                : Method::Structure::predefined;
}

// The cheapest that is level with the others after training (experiments/README.md).
const char* const kUsualMethod = "l2";

std::span<const Method> methods() { return table(); }

void add_method(Method method) {
  COPPICE_CHECK(std::ranges::find(table(), method.name, &Method::name) == table().end(),
                "there is a method '" + method.name + "'");
  table().push_back(std::move(method));
}

const Method& find_method(std::string_view name) {
  std::vector<std::string> names;
  for (const Method& method : methods()) {
    if (method.name == name) return method;
    names.push_back(method.name);
  }
  fail_usage("unknown method '" + std::string(name) + "', expected one of " + listed(names, ", ") +
                 did_you_mean(std::string(name), names),
             {task_hint("methods", "says what each does")});
}

OptionList options_of(const Method& method) {
  OptionList options = joined(method.options, rewriting_options());
  options = joined(std::move(options), data_options());
  return joined(std::move(options), training_options());
}

}  // namespace coppice
