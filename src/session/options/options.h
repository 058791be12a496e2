// What a session is told: its images, where it saves, and how it trains, cuts and judges.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "data/dataset.h"
#include "data/images/preprocess.h"
#include "data/parts.h"
#include "graph/graph.h"
#include "prune/compensate/recover.h"
#include "session/state/state.h"

namespace coppice {

struct SessionData {
  const Dataset* training = nullptr;
  Preprocessing preprocessing;
  // Every epoch is judged by the images held out, and whatever a method selects without a search
  // it selects by them.
  PartShares shares = {};
};

struct SessionOptions {
  std::filesystem::path checkpoint = {};  // empty: nothing is saved
  Request request = {};
  double save_every_s = 120;  // within an epoch; every epoch's end is saved anyway
  // Whether all that is done here leaves a sparse original's zeros at zero, and values that its
  // weights share shared (session/state/kept.h).
  enum class Zeros { keep, free } zeros = Zeros::keep;
  // What judges a candidate: the runtime, compiled for inference, twice as fast on a processor; or
  // the trainer, which may have a GPU.
  enum class Candidates { by_trainer, by_runtime } candidates = Candidates::by_trainer;
  // What is followed where a recipe asks for it, in place of the original: another net for the same
  // images, with outputs of the same shapes.
  std::optional<Graph> teacher = {};
};

struct RemoveOptions {
  enum class Proof { on, off };

  RecoverOptions recover = {};  // what makes up for the units that leave
  Proof proof = Proof::on;      // masked and cut, with the weights as they are then (verify)
  uint64_t seed = 0;            // of the proof's inputs
};

struct TrainHooks {
  // After every epoch of the recipe's schedule, from 1, before it is saved; may change the model,
  // or look. Where it changes the model, that is judged once more (EpochRecord::held_out_after).
  std::function<void(int64_t epoch)> after_epoch = {};
  // After every update whose number in the schedule, from 1, is a multiple of `every`, before it is
  // saved. Each call fetches weights and moments from the device, and loads them again where the
  // model was changed, so no smaller multiple than is needed.
  std::function<void(int64_t update)> after_update = {};
  int64_t every = 1;
  // Which updates, numbered so, `evidence` and after_update are called for, in place of all and of
  // multiples of `every`: a function of the number alone.
  std::function<bool(int64_t update)> due = {};
  // What the graph's inputs beside the first, which takes the images, are given in an update, by
  // name; a function of its number alone, as resuming needs it. Source: the widths that Liu et al.,
  // "MetaPruning", ICCV 2019, arXiv:1903.10258, Sec. 3.1, draw for every step.
  std::function<NamedTensors(int64_t update)> feeds = {};
  // Evidence with gradients that updates give of their own batches, from their own passes, by the
  // weights before them: `requests` of graph() says which, asked whenever the model was changed;
  // `evidence` is handed it after each update, before after_update, and may look and keep_own.
  std::function<std::vector<EvidenceRequest>()> requests = {};
  std::function<void(const Evidence& evidence)> evidence = {};
  // How many more updates there will be, as far as is known; 0 ends the training before its
  // schedule does, with the epoch that it is in. By what `own` keeps, as resuming needs it.
  std::function<int64_t()> left = {};
};

// How the running statistics of a candidate are found anew: each becomes the mean of what `batches`
// batches give by themselves, as with PyTorch's momentum=None. Source: Li et al., "EagleEye", ECCV
// 2020, arXiv:2007.02491. Differs: a plain mean in place of a decaying one, which forgets
// the old statistics whatever the number of batches.
struct Recalibration {
  Part part = Part::training;
  int64_t batches = 50, batch = 128;
  uint64_t seed = 0;  // of the images' order, and of what is random in the graph
};

// What evidence is collected on: whole batches of the part's images, as they are, drawn at random
// without repeating any, so as many as there are at most.
struct Collection {
  Part part = Part::training;
  int64_t batches = 10, batch = 32;
  uint64_t seed = 0;      // of the images, and of what is random in the graph
  LossOptions loss = {};  // and `losses`: what gradients are of, as a recipe has them
  std::map<std::string, double> losses = {};
  CollectOptions::Mode mode = CollectOptions::Mode::training;
  CollectOptions::Numbers numbers = CollectOptions::Numbers::f32;
};

}  // namespace coppice
