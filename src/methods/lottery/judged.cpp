// See judged.h.
#include "methods/lottery/judged.h"

#include <cmath>

namespace coppice {
namespace {

constexpr char kJudged[] = "judged";
constexpr int64_t kColumns = 4;  // training, update, loss, top-1

}  // namespace

JudgedTrainings::JudgedTrainings(const MethodState& kept) {
  const auto found = kept.tensors.find(kJudged);
  if (found == kept.tensors.end()) return;
  const std::span<const double> numbers = found->second.as<double>();
  for (size_t i = 0; i + kColumns <= numbers.size(); i += kColumns) {
    rows_.push_back(
        {std::llround(numbers[i]),
         {.update = std::llround(numbers[i + 1]), .loss = numbers[i + 2], .top1 = numbers[i + 3]}});
  }
}

void JudgedTrainings::keep_in(MethodState& state) const {
  std::vector<double> numbers;
  for (const auto& [training, judged] : rows_) {
    numbers.insert(numbers.end(), {static_cast<double>(training),
                                   static_cast<double>(judged.update), judged.loss, judged.top1});
  }
  state.tensors[kJudged] = Tensor::of<double>({std::ssize(rows_), kColumns}, numbers);
}

bool JudgedTrainings::add(int64_t training, const Judged& judged) {
  const std::optional<Judged> before = best(training);
  rows_.push_back({training, judged});
  return !before || judged.loss < before->loss;
}

std::vector<Judged> JudgedTrainings::of(int64_t training) const {
  std::vector<Judged> found;
  for (const Row& row : rows_) {
    if (row.training == training) found.push_back(row.judged);
  }
  return found;
}

std::optional<Judged> JudgedTrainings::best(int64_t training) const {
  std::optional<Judged> best;
  for (const Judged& judged : of(training)) {
    if (!best || judged.loss < best->loss) best = judged;
  }
  return best;
}

}  // namespace coppice
