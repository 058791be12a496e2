// See tally.h.
#include "training/judging/tally.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

// Where the label stands when outputs are sorted, largest first, ties by index.
int64_t rank_of(std::span<const float> outputs, int64_t label) {
  const float own = outputs[label];
  int64_t rank = 0;
  for (int64_t c = 0; c < static_cast<int64_t>(outputs.size()); ++c) {
    if (!(outputs[c] < own) && c != label) rank += outputs[c] != own || c < label;
  }
  return rank;
}

double cross_entropy(std::span<const float> outputs, int64_t label) {
  const double largest = *std::ranges::max_element(outputs);
  double sum = 0;
  for (const float output : outputs) sum += std::exp(output - largest);
  return std::log(sum) + largest - outputs[label];
}

int64_t largest_of(std::span<const float> outputs) {
  return std::ranges::max_element(outputs) - outputs.begin();
}

double minus_log(double probability) { return -std::log(std::max(probability, kLeastProbability)); }

double loss_of_probabilities(std::span<const float> outputs, int64_t label) {
  double sum = 0;  // 1, unless they were scaled
  for (const float output : outputs) sum += output;
  return sum > 0 ? minus_log(outputs[label] / sum) : minus_log(0);
}

double loss_of_chances(std::span<const float> outputs, int64_t label, double scale) {
  double loss = 0;
  for (int64_t c = 0; c < std::ssize(outputs); ++c) {
    const double chance = outputs[c] / scale;
    loss += minus_log(c == label ? chance : std::max(1 - chance, kLeastDoubt));
  }
  return loss;
}

}  // namespace

double Tally::loss_of(std::span<const float> outputs, int64_t label) const {
  switch (kind_) {
    case ScoreKind::logits: return cross_entropy(outputs, label);
    case ScoreKind::probabilities: return loss_of_probabilities(outputs, label);
    case ScoreKind::chances: return loss_of_chances(outputs, label, form_.scale);
  }
  return 0;
}

void Tally::add(const Tensor& scores, std::span<const int64_t> labels, int64_t images) {
  const std::span<const float> outputs = scores.as<float>();
  const int64_t classes = scores.size() / images;
  if (scores.size() % images != 0 || classes <= std::ranges::max(labels)) {
    fail_input("the model's output is " + to_string(scores.shape()) +
               ", expected a score for each class of " + std::to_string(images) + " images");
  }
  if (images_ == 0) {  // the first batch decides
    kind_ = kind_of(form_, outputs.first(labels.size() * classes), std::ssize(labels));
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = outputs.subspan(i * classes, classes);
    const int64_t rank = rank_of(row, labels[i]);
    const bool sound = std::ranges::none_of(row, [](float x) { return std::isnan(x); });
    top1_ += sound && rank < 1;
    top5_ += sound && rank < 5;
    loss_ += sound ? loss_of(row, labels[i]) : std::nan("");
    if (guesses_) guesses_->push_back({labels[i], sound ? largest_of(row) : -1});
  }
  images_ += std::ssize(labels);
}

Evaluation Tally::so_far() const {
  const auto images = static_cast<double>(images_);
  return {.top1 = static_cast<double>(top1_) / images,
          .top5 = static_cast<double>(top5_) / images,
          .loss = loss_ / images,
          .images = images_,
          .scores = kind_};
}

}  // namespace coppice
