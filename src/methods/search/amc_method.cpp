// What AMC can be told, and its entry among the methods.
#include "core/error.h"
#include "methods/method.h"
#include "methods/search/amc_layers.h"
#include "methods/search/search.h"
#include "methods/search/search_options.h"

namespace coppice {
namespace {

const CountOption kEpisodes({"episodes", "N", "how often the learner walks over all layers"}, 1,
                            1'000'000, AmcOptions{}.episodes);
const CountOption kWarmUpEpisodes({"warm-up-episodes", "N",
                                   "episodes of random actions before it learns"},
                                  0, 1'000'000, AmcOptions{}.warm_up);
const NumberOption kNoise({"noise", "X", "deviation of the first actions that it chooses itself"},
                          {.low = 0, .high = 10}, AmcOptions{}.noise);
const NumberOption kNoiseDecay({"noise-decay", "X", "what an episode leaves of the deviation"},
                               {.low = 0, .high = 1}, AmcOptions{}.decay);

void settle(Settings& settings) {
  settle_search(settings);
  if (!settings.has(kWarmUpEpisodes)) {
    const int64_t usual = std::min(AmcOptions{}.warm_up, settings[kEpisodes] / 4);
    settings.set(kWarmUpEpisodes, std::to_string(usual));
  }
  if (settings[kWarmUpEpisodes] < settings[kEpisodes]) return;
  fail_usage("--warm-up-episodes " + std::to_string(settings[kWarmUpEpisodes]) +
             ": nothing is learnt before they are over, and there are " +
             std::to_string(settings[kEpisodes]) + " --episodes");
}

Outcome learn(Session& session, const Recipe& recipe, const MethodInput& input) {
  const Settings& settings = input.settings;
  const AmcOptions options{.episodes = settings[kEpisodes],
                           .warm_up = settings[kWarmUpEpisodes],
                           .noise = settings[kNoise],
                           .decay = settings[kNoiseDecay],
                           .seed = input.seed};
  return search_and_train(
      session, recipe, input, "amc",
      [&](SearchSpace space, const Traced& traced) -> std::unique_ptr<Strategy> {
        auto layers = amc_layers(traced, space);
        return std::make_unique<Amc>(std::move(space), std::move(layers), options, open_agent);
      });
}

}  // namespace

extern const Method kAmc{
    .name = "amc",
    .paper = "He et al., AMC: AutoML for Model Compression, ECCV 2018, arXiv:1802.03494",
    .about =
        "lets a reinforcement learner say how many channels of each layer stay, and refits "
        "the layers to the original's outputs before each cut is judged",
    .differs =
        "an action is of a group of coupled layers, told by the layer that gives its channels, "
        "where the paper's is of the channels that a layer reads; channels are refitted with the "
        "inputs that the cut net gives, where the authors' search takes the original's; the reward "
        "is top-1 of training images held out for it; the budget is met in every episode, as in "
        "the paper's resource-constrained search",
    .needs = "training data",
    .options = joined(joined(changed(searching_options(), {&kRecover, "ls"}), {{&kRankBy}}),
                      {{&kEpisodes}, {&kWarmUpEpisodes}, {&kNoise}, {&kNoiseDecay}}),
    .settle = settle,
    .train = learn,
    .epochs = Method::Epochs::may_be_none,
    .searches = true};

}  // namespace coppice
