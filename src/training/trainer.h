// What training needs of a device, and the only thing between Coppice and LibTorch: a graph is
// loaded, stepped and stored. The loop around it, the data, the schedule and the checkpoints are
// `session`'s, so they compile fast and are tested with a fake trainer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "evidence/evidence.h"
#include "graph/graph.h"
#include "training/recipe.h"
#include "training/scores.h"

namespace coppice {

// Tensors by the name of the graph constant that they belong to, and of its shape.
using NamedTensors = std::map<std::string, Tensor>;

// The slot that says of each element of a tied weight which value it has: i32, equal numbers are
// tied.
inline constexpr char kCodesSlot[] = "codes";

// What training knows beside the graph's own weights. Plain tensors, so a checkpoint holds them and
// a cut takes the same slices out of them as out of the weights.
struct OptimizerState {
  int64_t updates = 0;
  // "momentum" -> weight -> its velocity; f32, but for kCodesSlot
  std::map<std::string, NamedTensors> slots;
};

struct TrainingSetup {
  OptimizerOptions optimizer;
  LossOptions loss;
  // The first output's classes; 0 where it isn't a score for each class: then only a teacher can be
  // followed, and all outputs are compared as numbers.
  int64_t classes = 0;
  // unused: the images' labels aren't of these classes, only the teacher's scores count.
  enum class Labels { used, unused } labels = Labels::used;
  // How the first output is read, where a last Softmax or Sigmoid doesn't say it (scores.h).
  ScoreKind scores = ScoreKind::logits;
  NormMomentum norm_momentum;
  NamedTensors masks;                  // f32, 0 or 1: these weights stay exactly 0
  // By the names of BatchNormalization's scales, f32, 1 for channels that running statistics
  // normalise in training, too, and that leave these as they are. Why: a channel of zeros has no
  // variance, so that by the batch's its gradients are divided by sqrt(epsilon), hundreds of times
  // what others are.
  NamedTensors still;
  std::set<std::string> frozen, tied;  // as the recipe has them
  // As `tied`, but moved by the mean of their gradients: the gradient's projection on the weights
  // that share so, and as safe at every rate and with every optimizer as the gradient itself.
  std::set<std::string> shared;
  L1Penalty l1;
  // Outputs that are parts of the loss, by name: their mean, times the weight, is added. Nothing
  // else looks at them.
  std::map<std::string, double> losses;
  // Needed where loss.distillation > 0. Where there is one, the outputs beside the first follow it.
  const Graph* teacher = nullptr;
};

struct StepOptions {
  double learning_rate = 0;
  uint64_t seed = 0;        // of what is random in the graph (Dropout)
  NamedTensors feeds = {};  // of the graph's inputs beside the first, all of them
  // Evidence with gradients that the update is to give of its own batch, by the weights before it:
  // as `collect` gives it in training mode, but that frozen weights have none here.
  std::vector<EvidenceRequest> requests = {};
};

struct StepResult {
  double loss = 0;         // mean over the batch; may be anything, infinite too
  int64_t correct = 0;     // images whose label has the largest output; 0 without labels
  Evidence evidence = {};  // what was asked for; nothing where the loss isn't finite
};

struct CollectOptions {
  // training: normalisations see the batch's own statistics, and Dropout drops, as in the steps
  // between which both papers of requests.h add up their sums; evaluation: as in `forward`.
  enum class Mode { training, evaluation } mode = Mode::training;
  uint64_t seed = 0;  // as in a step
  // f64: all float32 numbers of the graph and the images are taken and passed on in double, for
  // what grows with depth beyond float32; what is of weights is answered so, too.
  enum class Numbers { f32, f64 } numbers = Numbers::f32;
};

class Trainer {
 public:
  virtual ~Trainer() = default;

  // Takes copies of the graph's parameters and statistics, and of the optimizer's state. The
  // graph's first input takes the images. Throws Error::input naming the node for an operator
  // that can't be trained.
  virtual void load(const Graph& graph, const TrainingSetup& setup,
                    const OptimizerState& state) = 0;
  // One update. `images`: f32, as many as the graph's input may have; `labels`: as many, unless
  // they are unused. Nothing is updated when the loss isn't finite. Throws Error::input where a
  // feed is missing or of another shape than its input, and as `collect` does for requests.
  virtual StepResult step(const Tensor& images, std::span<const int64_t> labels,
                          const StepOptions& options) = 0;
  // One pass in training mode without an update: running statistics move as in a step, by
  // norm_momentum. Returns them by name as they then are; with a momentum of 0 they are those of
  // the images alone. `seed`: as in a step. Requires: one input.
  virtual NamedTensors move_statistics(const Tensor& images, uint64_t seed) = 0;
  // The graph's outputs in evaluation mode, for any number of images; an empty tensor for one whose
  // size depends on them (output_gradients.h). Requires: one input.
  virtual std::vector<Tensor> forward(const Tensor& images) = 0;
  // Evidence with gradients (evidence/requests.h) of the setup's loss on one batch, as if it were
  // all there is, by the parameters as they are: no update is made, no statistic moves. Frozen
  // weights have gradients here, too. Throws Error::usage, naming the value, for one that the graph
  // doesn't compute from trained weights, that has no such axis, or on which the loss doesn't
  // depend; for a weight that isn't trained; and for a reduction that needs no gradients. Requires:
  // one input.
  virtual Evidence collect(const Tensor& images, std::span<const int64_t> labels,
                           std::span<const EvidenceRequest> requests,
                           const CollectOptions& options) = 0;
  // Writes parameters, statistics and state back into the graph that was loaded, or a copy of it.
  virtual void store(Graph& graph, OptimizerState& state) const = 0;
};

struct TrainerOptions {
  std::string device = "cpu";  // "cuda" where LibTorch was built with it
  int threads = 1;
};

// Opens libcoppice_train.so, which holds LibTorch, on first use. Throws Error::usage where it is
// missing or a device isn't there.
std::unique_ptr<Trainer> open_trainer(const TrainerOptions& options);

}  // namespace coppice
