// coppice with one more method, which keeps the first channels of every group: all that a method
// needs is in this file.
#include "cli/app.h"
#include "methods/method.h"
#include "methods/one_shot/one_shot.h"
#include "methods/options/blocks.h"

namespace coppice {
namespace {

const NumberOption kTilt({"tilt", "X", "how much later channels count less"}, {.low = 0, .high = 1},
                         0.25);

std::vector<float> scores(const GroupView& view) {
  std::vector<float> scores(view.group.units());
  const auto tilt = static_cast<float>(view.options.own[kTilt]);
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = 1 - tilt * static_cast<float>(i);
  return scores;
}

constexpr char kName[] = "first-channels";

Method toy() {
  static const Criterion criterion{
      .name = kName, .paper = "no paper", .about = "place", .score = scores};
  return {.name = kName,
          .paper = "no paper",
          .about = "keeps the first channels",
          .differs = "there is nothing to differ from",
          .needs = "nothing but the model",
          .options = joined(cutting_options(Ranked::by_layer), {{&kTilt}}),
          .settle = settle_budget,
          .prune = [](const Graph& graph, const MethodInput& input) {
            return prune_once(graph, criterion, cutting_of(input.settings, input.seed));
          }};
}

}  // namespace
}  // namespace coppice

int main(int count, char** arguments) {
  coppice::add_method(coppice::toy());
  return coppice::run_program({arguments + 1, arguments + count});
}
