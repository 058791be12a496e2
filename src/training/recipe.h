// How to train: everything that decides the result, as plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/images/augment.h"

namespace coppice {

struct OptimizerOptions {
  enum class Kind { sgd, adam };
  enum class Decayed { weights, all };  // `weights`: neither biases nor normalisations

  Kind kind = Kind::sgd;
  double learning_rate = 0.03;  // the largest of the schedule
  double momentum = 0.9;        // sgd, in Nesterov's form unless it is 0
  enum class Momentum { plain, nesterov } form = Momentum::nesterov;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // adam
  double weight_decay = 5e-4;                         // added to the gradient, times the weight
  Decayed decayed = Decayed::weights;
  double clip_norm = 0;  // of all gradients together; 0: not clipped
};

// "sgd" or "adam".
const char* name_of(OptimizerOptions::Kind kind);

struct Schedule {
  enum class Kind { cosine, step, constant };
  Kind kind = Kind::cosine;
  std::vector<double> milestones = {0.5, 0.75};  // step: shares of the training
  double factor = 0.1;                           // step: at each milestone
  double warm_up = 0;                            // epochs of linear increase from 0
};

struct LossOptions {
  double label_smoothing = 0;  // share of the target spread over all classes
  // Share of the loss that follows the teacher: 0 labels alone, 1 the teacher alone.
  double distillation = 0;
  double temperature = 4;
  // Labels judge the logits divided by this: 1 but where gradients of a softened loss are asked
  // for.
  double label_temperature = 1;
  // Outputs beside the first have no labels. `follow`: they are kept near to the original's, even
  // where distillation is 0. `leave`: not there, since the original is untrained.
  enum class Others { follow, leave } others = Others::follow;
};

// A penalty of `strength` times the sum of absolute values of the named weights, by its
// subgradient: strength * sign(w), 0 at 0, is added to the gradient after clipping. Source: Liu et
// al., Network Slimming, ICCV 2017, arXiv:1708.06519, Eq. 1. Differs: none known.
struct L1Penalty {
  double strength = 0;
  std::set<std::string> weights = {};
};

// What BatchNormalization's running statistics keep of themselves in an update, ONNX's momentum.
// Files say what suited their own training: of Keras' 0.99, 64 % of the statistics from before a
// cut are still there after 45 updates. So what a file says holds up to `most`.
struct NormMomentum {
  std::optional<double> given = {};  // instead of the file's
  double most = 1;
  double of(double file) const;
};

// Which updates of a recipe's epochs are done, numbered from 0: those before `first` are left out,
// as are `end` and all after it. The schedule counts them all the same, so that a training goes on
// in the middle of one: Renda, Frankle, Carbin, ICLR 2020, arXiv:2003.02389, rewind the rate to
// where it was some epochs before the end, Frankle et al., ICML 2020, arXiv:1912.05671, weights and
// rate to an early update.
struct Updates {
  int64_t first = 0;
  std::optional<int64_t> end = {};  // absent: that of the last epoch
};

// Which of a training's epochs its result is: the last, or the one that the held-out images judge
// best, and whether it ends early: after so many epochs that are no better. Where a method changes
// the model between updates, epochs are of different models, and the last is kept.
struct KeptEpoch {
  enum class Which { last, best } which = Which::last;
  std::optional<int64_t> patience = {};
};

struct Recipe {
  int64_t epochs = 1;
  KeptEpoch kept = {};
  Updates updates = {};
  int64_t batch = 128;
  OptimizerOptions optimizer;
  Schedule schedule;
  LossOptions loss;
  Augmentation augmentation;
  uint64_t seed = 0;
  // By the names of weights. Frozen ones don't change. In tied ones equal values stay equal: the
  // gradients of all elements that have the same value when training begins are summed, and all of
  // them move by that sum, which is how Deep Compression tunes centroids (Han, Mao, Dally, ICLR
  // 2016, arXiv:1510.00149, Sec. 3.3). Zero is no shared value: what isn't masked moves by itself.
  std::set<std::string> frozen, tied;
  L1Penalty l1;
  // Outputs of the graph that are parts of the loss, by name with their weights: the mean of each,
  // times its weight, is added to what labels and the teacher say. The original has none of them.
  std::map<std::string, double> losses = {};
  std::optional<double> norm_momentum;  // absent: the file's, as norm_momentum_of bounds it
};

// `most` is 0.9, PyTorch's, or less in short epochs: after one of them at most 5 % of what was is
// left.
NormMomentum norm_momentum_of(const Recipe& recipe, int64_t updates_per_epoch);

// The factor on learning_rate for update number `step` (from 0) of `steps`, `steps_per_epoch` of
// them an epoch.
//
//   cosine    (1 + cos(pi t)) / 2, with t the share of the updates after the warm-up that is done
//   step      factor ^ (milestones that t has reached)
//   warm-up   (step + 1) / updates of the warm-up
double schedule_factor(const Schedule& schedule, int64_t step, int64_t steps,
                       int64_t steps_per_epoch);

}  // namespace coppice
