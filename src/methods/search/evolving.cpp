// See evolving.h.
#include "methods/search/evolving.h"

#include "core/error.h"
#include "methods/method.h"

namespace coppice {
namespace {

const CountOption kPopulation({"population", "N", "cuts that a generation tries"}, 2, 1'000'000,
                              EvolutionOptions{}.population);
const CountOption kGenerations({"generations", "N", "how many generations there are"}, 1, 1'000'000,
                               EvolutionOptions{}.generations);
const CountOption kParents({"parents", "N",
                            "of all that were tried, the N best are mutated and crossed"},
                           1, 1'000'000, EvolutionOptions{}.parents);
const NumberOption kMutation({"mutation", "SHARE",
                              "the probability with which a mutation changes a width"},
                             {.low = 0, .high = 1, .ends = NumberRange::Ends::open},
                             EvolutionOptions{}.mutation);

}  // namespace

OptionList evolution_options() {
  return {{&kPopulation}, {&kGenerations}, {&kParents}, {&kMutation}};
}

void settle_evolution(Settings& settings, TrainsBefore before) {
  settle_search(settings, before);
  if (settings[kParents] <= settings[kPopulation]) return;
  if (!settings.has(kParents)) {
    return settings.set(kParents, std::to_string(settings[kPopulation]));
  }
  fail_usage("--parents " + std::to_string(settings[kParents]) + ": a generation has " +
             std::to_string(settings[kPopulation]) + " (--population)");
}

std::unique_ptr<Strategy> evolving(SearchSpace space, const MethodInput& input) {
  const Settings& settings = input.settings;
  return std::make_unique<Evolution>(std::move(space),
                                     EvolutionOptions{.population = settings[kPopulation],
                                                      .generations = settings[kGenerations],
                                                      .parents = settings[kParents],
                                                      .mutation = settings[kMutation],
                                                      .seed = input.seed});
}

}  // namespace coppice
