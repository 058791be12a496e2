// mutual-information: what a unit's response tells of an image's class.
//
// Source: Molchanov, Tyree, Karras, Aila, Kautz, "Pruning Convolutional Neural Networks for
// Resource Efficient Inference", ICLR 2017, arXiv:1611.06440, section 2.1: the information gain
// H(x) + H(y) - H(x, y) of a quantised activation x and the label y.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "prune/scores/responses/responses.h"

namespace coppice {
namespace {

const CountOption kLevels({"levels", "N", "how many levels a response is quantised to"}, 2, 256, 8);

const EvidenceRequest kLabels{.value = "", .reduction = Reduction::labels};

std::vector<EvidenceRequest> needs(const GroupView& view) {
  std::vector<EvidenceRequest> requests = of_activations(view, {Reduction::pooled});
  requests.push_back(kLabels);
  return requests;
}

// Levels that as many numbers have each, but for equal ones, which have one level.
std::vector<int64_t> levels_of(const std::vector<double>& numbers, int64_t levels) {
  std::vector<size_t> order(numbers.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return numbers[a] < numbers[b]; });
  std::vector<int64_t> result(numbers.size());
  for (size_t place = 0; place < order.size(); ++place) {
    const bool tied = place > 0 && numbers[order[place]] == numbers[order[place - 1]];
    result[order[place]] =
        tied ? result[order[place - 1]]
             : static_cast<int64_t>(place) * levels / static_cast<int64_t>(order.size());
  }
  return result;
}

template <typename T>
double entropy(const std::vector<T>& drawn) {
  std::map<T, int64_t> counts;
  for (const T& x : drawn) ++counts[x];
  double sum = 0;
  for (const auto& [x, count] : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(drawn.size());
    sum -= share * std::log(share);
  }
  return sum;
}

double information(const std::vector<int64_t>& x, const std::vector<int64_t>& y) {
  std::vector<std::pair<int64_t, int64_t>> both;
  for (size_t i = 0; i < x.size(); ++i) both.emplace_back(x[i], y[i]);
  return entropy(x) + entropy(y) - entropy(both);
}

std::vector<int64_t> labels_of(const GroupView& view) {
  std::vector<int64_t> labels;
  for (const double label : view.evidence->numbers(kLabels)) labels.push_back(std::llround(label));
  if (std::ranges::adjacent_find(labels, std::not_equal_to<>()) == labels.end()) {
    fail_input("mutual information is that of responses with labels: found " +
               std::to_string(labels.size()) +
               " images of one class, expected images of two classes at least");
  }
  return labels;
}

std::vector<float> mutual_information(const GroupView& view) {
  const std::vector<int64_t> labels = labels_of(view);
  const int64_t levels = view.options.own[kLevels];
  std::vector<std::vector<double>> members;
  for (const Activation& activation : view.activations) {
    const auto rows = rows_by_unit(view, activation, Reduction::pooled);
    members.emplace_back();
    for (size_t u = 0; u < activation.indices.size(); ++u) {
      std::vector<double> responses;
      for (const std::vector<double>& row : rows) responses.push_back(row[u]);
      members.back().push_back(information(levels_of(responses, levels), labels));
    }
  }
  return over_layers(view, std::move(members));
}

}  // namespace

extern const Criterion kMutualInformation{
    .name = "mutual-information",
    .paper =
        "Molchanov et al., Pruning CNNs for Resource Efficient Inference, ICLR 2017, "
        "arXiv:1611.06440 (sec. 2.1)",
    .about = "information that a channel's response gives of an image's class",
    .differs =
        "the paper doesn't say how activations are quantised: here the mean over an image's "
        "positions, to levels of equally many images (--levels), equal ones to one level; coupled "
        "layers count all, and their mean keeps their spread; each layer's scores are over their "
        "Euclidean norm, as the paper has all criteria ranked over layers (--layer-norm)",
    .scope = Criterion::Scope::global,
    .options = {{&kLayerNorm}, {&kLevels}},
    .score = mutual_information,
    .needs = needs,
    .answered = Criterion::Answered::by_labels};

}  // namespace coppice
