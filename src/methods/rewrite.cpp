#include "methods/rewrite.h"

#include "core/error.h"
#include "graph/infer.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/simplify.h"

namespace coppice {
namespace {

const FlagOption kFoldBn("fold-bn", "fold BatchNormalization into the layer before, at the end");
const FlagOption kSimplify("simplify", "fold constants and drop idle nodes, at the end");

}  // namespace

OptionList rewriting_options() { return {{&kFoldBn}, {&kSimplify}}; }

void rewrite(Outcome& outcome, const Settings& settings, uint64_t seed) {
  if (!settings[kFoldBn] && !settings[kSimplify]) return;
  const Graph before = outcome.graph;
  if (settings[kSimplify]) simplify(outcome.graph);
  if (settings[kFoldBn]) fuse_batch_norms(outcome.graph);
  outcome.after = costs_of(outcome.graph, infer(outcome.graph, fitting_sizes(outcome.graph, {})));
  if (!outcome.proof) return;
  const Comparison comparison =
      compare(before, outcome.graph, outcome.proof->comparison.sizes, seed);
  if (comparison.equal()) return;
  throw Error(ErrorKind::internal,
              "--fold-bn or --simplify changed the outputs by " + std::to_string(comparison.error) +
                  " of the largest, expected at most " + std::to_string(comparison.allowed()) +
                  "; nothing was written; please report this model");
}

}  // namespace coppice
