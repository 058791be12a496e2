// See trainings.h.
#include "methods/lottery/trainings.h"

namespace coppice {
namespace {

using As = ResultTable::As;
using Cell = ResultTable::Cell;

const char* name_of(TicketTraining::Of of) {
  switch (of) {
    case TicketTraining::Of::ticket: return "ticket";
    case TicketTraining::Of::continuation: return "another order";
    case TicketTraining::Of::redrawn: return "drawn anew";
    case TicketTraining::Of::random_mask: return "random mask";
  }
  return "";
}

// "drawn anew 1"; empty for a ticket.
std::string what_else(const TicketTraining& training) {
  if (training.of == TicketTraining::Of::ticket) return "";
  const std::string name = name_of(training.of);
  return training.number == 0 ? name : name + " " + std::to_string(training.number);
}

Cell cell(int64_t count) { return static_cast<double>(count); }

}  // namespace

std::string stage_name(const TicketTraining& training) {
  const std::string round =
      "round " + std::to_string(training.round) + " of " + std::to_string(training.rounds);
  const std::string what = what_else(training);
  return what.empty() ? round : round + ", " + what;
}

std::string file_name(const TicketTraining& training) {
  std::string name = (training.round < 10 ? "round-0" : "round-") + std::to_string(training.round);
  if (const std::string what = what_else(training); !what.empty()) name += "-" + what;
  for (char& letter : name) letter = letter == ' ' ? '-' : letter;
  return name;
}

ResultTable table_of(const std::vector<TicketTraining>& trainings, const JudgedTrainings& judged) {
  ResultTable table{.key = "tickets",
                    .columns = {{"round", "round", As::count},
                                {"net", "net", As::text},
                                {"file", "", As::text},
                                {"weights", "weights left", As::count},
                                {"density", "density", As::share},
                                {"early_stop_update", "early stop", As::count},
                                {"early_stop_loss", "loss there", As::number},
                                {"early_stop_top1", "held out there", As::share},
                                {"end_update", "end", As::count},
                                {"end_loss", "loss", As::number},
                                {"end_top1", "held out", As::share}}};
  for (size_t t = 0; t < trainings.size(); ++t) {
    const TicketTraining& training = trainings[t];
    std::vector<Cell> row{cell(training.round), name_of(training.of), file_name(training),
                          cell(training.left), training.density()};
    const std::vector<Judged> all = judged.of(static_cast<int64_t>(t));
    if (!all.empty()) {
      for (const Judged& at : {*judged.best(static_cast<int64_t>(t)), all.back()}) {
        row.insert(row.end(), {cell(at.update), at.loss, at.top1});
      }
    }
    row.resize(table.columns.size());
    table.rows.push_back(std::move(row));
  }
  return table;
}

ResultTable curves_of(const std::vector<TicketTraining>& trainings, const JudgedTrainings& judged) {
  ResultTable table{.key = "judged",
                    .shown = ResultTable::Shown::in_json,
                    .columns = {{"net", "", As::text},
                                {"update", "", As::count},
                                {"loss", "", As::number},
                                {"top1", "", As::share}}};
  for (size_t t = 0; t < trainings.size(); ++t) {
    for (const Judged& at : judged.of(static_cast<int64_t>(t))) {
      table.rows.push_back({file_name(trainings[t]), cell(at.update), at.loss, at.top1});
    }
  }
  return table;
}

ResultTable table_of(const std::vector<PathPoint>& path) {
  ResultTable table{.key = "path",
                    .columns = {{"share", "of the other copy", As::share},
                                {"top1", "held out", As::share},
                                {"error", "error", As::share},
                                {"loss", "loss", As::number}}};
  for (const PathPoint& point : path) {
    table.rows.push_back({point.share, point.top1, 1 - point.top1, point.loss});
  }
  return table;
}

ResultTable table_of(const Barrier& barrier) {
  return {.key = "barrier",
          .columns = {{"error", "error barrier", As::share}, {"loss", "loss barrier", As::number}},
          .rows = {{barrier.error, barrier.loss}}};
}

}  // namespace coppice
