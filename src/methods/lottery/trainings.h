// The trainings of a lottery: which there are, what they are called, and the tables of what came of
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "methods/lottery/judged.h"
#include "methods/lottery/linear_path.h"
#include "methods/outcome.h"

namespace coppice {

struct TicketTraining {
  // The net that is pruned on; the same once more, in another order of the images; controls.
  enum class Of { ticket, continuation, redrawn, random_mask } of = Of::ticket;
  int64_t round = 0, rounds = 0;
  int64_t number = 0;         // of several controls of a kind, from 1
  int64_t left = 0, all = 0;  // weights

  double density() const { return static_cast<double>(left) / static_cast<double>(all); }
};

std::string stage_name(const TicketTraining& training);  // "round 3 of 16, drawn anew 1"
std::string file_name(const TicketTraining& training);   // "round-03-drawn-anew-1"

// One row a training.
ResultTable table_of(const std::vector<TicketTraining>& trainings, const JudgedTrainings& judged);
// One row a judgement.
ResultTable curves_of(const std::vector<TicketTraining>& trainings, const JudgedTrainings& judged);
ResultTable table_of(const std::vector<PathPoint>& path);
ResultTable table_of(const Barrier& barrier);

}  // namespace coppice
