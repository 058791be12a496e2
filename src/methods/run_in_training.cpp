#include "methods/method.h"
#include "methods/one_shot/prune_and_train.h"
#include "methods/options/blocks.h"

namespace coppice {

Outcome run_in_training(const Method& method, Session& session, const Recipe& recipe,
                        const MethodInput& input) {
  if (method.decides_in_training(input.settings)) return method.train(session, recipe, input);
  RecoverOptions recover;
  if (has_option(input.settings.options(), kRecover)) recover = recovering_of(input);
  return prune_and_train(
      session, [&](const Graph& original) { return method.prune(original, input); }, recipe,
      recover);
}

}  // namespace coppice
