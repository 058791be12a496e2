// A whole session in one file, so that a run that ends at any moment goes on to the same bits.
//
//   "coppice checkpoint 2\n"
//   u64      bytes of the header, little-endian
//   header   JSON: the session's state, the size of the graph, the names of the graph's values in
//            their order, which of them are copies of which, and for each tensor its place
//            ("momentum", "mask"), name, type and shape
//   graph    an ONNX file with the weights as they are now
//   tensors  their bytes, in the header's order
//   64 hexadecimal digits: SHA-256 of all before
//
// Files are written beside and renamed, so there is always a whole one. An ONNX file keeps neither
// the numbers of values nor what was copied from what, but ties are broken by the first and plans
// name copies by the second: so a graph is read back with both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/files.h"
#include "prune/plan.h"
#include "session/evaluation.h"
#include "session/trainer.h"

namespace coppice {

// What a run was asked to do, option by option; a run goes on only with the same.
using Request = std::vector<std::pair<std::string, std::string>>;

struct TrainingCursor {
  int64_t epoch = 0, batch = 0;  // the next one
  // Of the epoch so far.
  double loss = 0;  // sum over its batches
  int64_t correct = 0, images = 0;
  double seconds = 0;
};

struct EpochRecord {
  std::string stage;
  int64_t epoch = 0, epochs = 0;  // from 1
  double learning_rate = 0;       // of the last update
  std::string optimizer = "sgd";
  double largest_rate = 0;                   // of the schedule
  double loss = 0;                           // on the training pictures as they came, augmented
  std::optional<double> top1;                // of them; where the first output is scores of classes
  std::optional<Evaluation> held_out;        // as the epoch's last update left it
  std::optional<Evaluation> held_out_after;  // where the model was then changed (zeroed filters)
  double seconds = 0, images_per_second = 0;
};

struct StageRecord {
  std::string stage;
  int64_t epochs = 0;                  // trained in it
  std::optional<Evaluation> held_out;  // of a stage that changed the model without training
};

struct SessionState {
  Request request;
  std::vector<StageRecord> stages;  // those that are done
  TrainingCursor cursor;            // of the stage after them
  std::vector<EpochRecord> history;
  Plan plan;
  Graph graph;
  OptimizerState optimizer;
  NamedTensors masks;
};

// Whether a checkpoint begins there, of whatever version.
bool is_checkpoint(const std::filesystem::path& path);
void write_checkpoint(const std::filesystem::path& path, const SessionState& state);
// Throws Error::input naming the file where it isn't a whole checkpoint.
SessionState read_checkpoint(const std::filesystem::path& path);
// The same from bytes. Memory is asked for only for what they hold.
SessionState parse_checkpoint(const Buffer& file);

// Throws Error::usage naming the first option whose value is another than in the checkpoint.
void require_same(const Request& now, const Request& before);

}  // namespace coppice
