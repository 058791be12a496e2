// random: the control that every criterion must beat.

#include "core/random.h"

#include "prune/scores/criteria.h"

namespace coppice {
namespace {

std::vector<float> random_scores(const GroupView& view) {
  Random random = Random::stream(view.options.seed, {static_cast<uint64_t>(view.group.first_unit)});
  std::vector<float> scores(view.group.units());
  random.fill_uniform(scores, 0, 1);
  return scores;
}

}  // namespace

extern const Criterion kRandom{.name = "random",
                               .paper = "the control that every criterion must beat",
                               .about = "number drawn at random, by --seed",
                               .ranks = Criterion::Ranks::nothing,
                               .score = random_scores,
                               .aggregates = false};

}  // namespace coppice
