// Source: Han, Pool, Tran, Dally, "Learning both Weights and Connections for Efficient Neural
// Networks", NIPS 2015, arXiv:1506.02626, Sec. 3.
#include "methods/unstructured/magnitude.h"

#include "core/error.h"
#include "methods/method.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/mask_weights.h"
#include "methods/unstructured/pattern.h"
#include "prune/latency/latency_meter.h"
#include "prune/scores/criterion.h"

namespace coppice {

Outcome prune_by_magnitude(const Graph& graph, const MagnitudeOptions& options, Verify verify) {
  require_finite(graph);
  require_denser_than_asked(graph, options);
  const Pattern pattern = find_pattern(graph, options);
  Outcome outcome = mask_weights(graph, magnitude_masks(graph, pattern.pruning), verify);
  outcome.plan.method = "magnitude";
  pattern.say(outcome);
  return outcome;
}

namespace {

void settle(Settings& settings) {
  if (settings.has(kKeepLatency)) {
    for (const Option* option : std::initializer_list<const Option*>{&kSparsity, &kScope}) {
      if (!settings.has(*option)) continue;
      fail_usage(kKeepLatency.flag() + " finds how many weights of each layer leave, found " +
                 option->flag() + " beside it; leave one of them out");
    }
  }
  masking_of(settings);
}

MagnitudeOptions masking_within(const Graph& graph, const MethodInput& input) {
  const MagnitudeOptions options = masking_of(input.settings);
  const auto kept = input.settings.given(kKeepLatency);
  return kept ? input.latency->allocate(graph, options, *kept) : options;
}

}  // namespace

extern const Method kMagnitude{
    .name = "magnitude",
    .paper = "Han et al., Learning both Weights and Connections, NIPS 2015, arXiv:1506.02626",
    .about = "zeroes the smallest weights one by one; shapes stay",
    .differs =
        "once, not in rounds with training between them (--method deep-compression does "
        "that); by rank, where the paper prunes below a threshold by layer; --keep-latency, which "
        "the paper hasn't, shares zeros among layers by what they save of the time measured in "
        "Coppice's sparse runtime, for the squared weights that leave",
    .needs = "nothing but the model",
    .kind = Method::Kind::unstructured,
    .options = joined(masking_options(), {{&kKeepLatency}, {&kVerify}}),
    .settle = settle,
    .prune = [](const Graph& graph, const MethodInput& input) {
      return prune_by_magnitude(graph, masking_within(graph, input), input.settings[kVerify]);
    }};

}  // namespace coppice
