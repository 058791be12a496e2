// What the held-out images said of each training of a lottery, as a session keeps it: where the
// loss was smallest, the paper's criterion for stopping early, and how it was at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "session/session.h"

namespace coppice {

struct Judged {
  int64_t update = 0;  // in the schedule, from 1
  double loss = 0, top1 = 0;
};

// The judgements of all trainings so far, in order.
class JudgedTrainings {
 public:
  explicit JudgedTrainings(const MethodState& kept);
  void keep_in(MethodState& state) const;

  // Whether no loss before was as small, of this training.
  bool add(int64_t training, const Judged& judged);
  std::vector<Judged> of(int64_t training) const;
  // Of the smallest loss, the first of equals; nothing where none was judged.
  std::optional<Judged> best(int64_t training) const;

 private:
  struct Row {
    int64_t training;
    Judged judged;
  };
  std::vector<Row> rows_;
};

}  // namespace coppice
