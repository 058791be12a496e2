// Searches on the weights that the model has: at random, and by evolution.
#include "methods/method.h"
#include "methods/search/evolving.h"
#include "methods/search/search.h"
#include "methods/search/search_options.h"
#include "search/random_search.h"

namespace coppice {
namespace {

const CountOption kCandidates({"candidates", "N", "how many cuts are tried"}, 1, 1'000'000'000,
                              100);

constexpr char kDiffersInBoth[] =
    "statistics are plain means over batches, where the paper's decay; widths that are drawn are "
    "brought within the budget, where the paper's are drawn again; the one that is best becomes "
    "the result, where the authors train several";

Outcome evolve(Session& session, const Recipe& recipe, const MethodInput& input) {
  return search_and_train(
      session, recipe, input, "evolution",
      [&](SearchSpace space, const Traced&) { return evolving(std::move(space), input); });
}

Outcome draw(Session& session, const Recipe& recipe, const MethodInput& input) {
  return search_and_train(session, recipe, input, "random-search",
                          [&](SearchSpace space, const Traced&) -> std::unique_ptr<Strategy> {
                            return std::make_unique<RandomSearch>(
                                std::move(space), input.settings[kCandidates], input.seed);
                          });
}

}  // namespace

extern const Method kEvolution{
    .name = "evolution",
    .paper =
        "Li et al., EagleEye, ECCV 2020, arXiv:2007.02491; evolution as in Liu et al., "
        "MetaPruning, ICCV 2019, arXiv:1903.10258",
    .about =
        "searches the widths of all layers by evolution, judging each cut as it is, with "
        "normalisations' statistics found anew",
    .differs = kDiffersInBoth,
    .needs = "training data",
    .options = joined(joined(searching_options(), {{&kRankBy}}), evolution_options()),
    .settle = [](Settings& settings) { settle_evolution(settings); },
    .train = evolve,
    .epochs = Method::Epochs::may_be_none,
    .searches = true};

extern const Method kRandomSearch{
    .name = "random-search",
    .paper = "Li et al., EagleEye, ECCV 2020, arXiv:2007.02491",
    .about =
        "draws the widths of all layers at random and takes the cut that is best as it is, "
        "with normalisations' statistics found anew",
    .differs = kDiffersInBoth,
    .needs = "training data",
    .options = joined(joined(searching_options(), {{&kRankBy}}), {{&kCandidates}}),
    .settle = [](Settings& settings) { settle_search(settings); },
    .train = draw,
    .epochs = Method::Epochs::may_be_none,
    .searches = true};

}  // namespace coppice
