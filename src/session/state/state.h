// All that a session is at a moment, as plain data: what it was asked, how far it is, and what it
// holds. A checkpoint holds it all (checkpoint.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "options/settings.h"
#include "prune/plan/plan.h"
#include "training/judging/evaluation.h"
#include "training/trainer.h"

namespace coppice {

struct TrainingCursor {
  int64_t epoch = 0;  // of the stage, that is, of those that it trains
  int64_t batch = 0;  // of that epoch's; the next one
  // Of the epoch so far.
  double loss = 0;  // sum over its batches
  int64_t correct = 0, images = 0;
  double seconds = 0;
};

// What a method says of an epoch or a stage: how many filters came back, say.
using Facts = std::vector<std::pair<std::string, double>>;

struct EpochRecord {
  std::string stage;
  int64_t epoch = 0, epochs = 0;  // from 1
  double learning_rate = 0;       // of the last update
  std::string optimizer = "sgd";
  double largest_rate = 0;                   // of the schedule
  double loss = 0;                           // on the training images as they came, augmented
  std::optional<double> top1;                // of them; where the first output is scores of classes
  std::optional<Evaluation> held_out;        // as the epoch's last update left it
  std::optional<Evaluation> held_out_after;  // where the model was then changed (zeroed filters)
  double seconds = 0, images_per_second = 0;
  Facts facts = {};
};

struct StageRecord {
  std::string stage;
  int64_t epochs = 0;  // trained in it
  // Of a stage that changed the model without training, or kept another epoch than the last.
  std::optional<Evaluation> held_out;
  Facts facts = {};
};

// What a method keeps for itself: scores that it adds up, rounds that are done, a population.
struct MethodState {
  std::string text;      // JSON, or whatever the method reads
  NamedTensors tensors;  // of any names, types and shapes: no cut touches them
  friend bool operator==(const MethodState&, const MethodState&) = default;
};

struct SessionState {
  Request request;
  std::vector<StageRecord> stages;  // those that are done
  TrainingCursor cursor;            // of the stage after them
  std::vector<EpochRecord> history;
  Plan plan;
  Graph graph;
  OptimizerState optimizer;
  NamedTensors masks, still;  // see Session::hold_statistics
  std::map<std::string, NamedTensors> snapshots;  // weights and statistics by name, see session.h
  MethodState own;
};

}  // namespace coppice
