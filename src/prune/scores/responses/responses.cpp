#include "prune/scores/responses/responses.h"

#include <cmath>

namespace coppice {

const ChoiceOption<LayerNorm> kLayerNorm(
    {"layer-norm", "l2|none",
     "what makes the scores of layers comparable: each over the Euclidean norm of its layer's, or "
     "nothing"},
    {{"l2", LayerNorm::l2}, {"none", LayerNorm::none}}, "l2");

std::vector<EvidenceRequest> of_activations(const GroupView& view,
                                            std::initializer_list<Reduction> reductions) {
  std::vector<EvidenceRequest> requests;
  for (const Activation& activation : view.activations) {
    for (const Reduction reduction : reductions) {
      requests.push_back({activation.value, reduction, activation.axis});
    }
  }
  return requests;
}

std::vector<std::vector<double>> rows_by_unit(const GroupView& view, const Activation& activation,
                                              Reduction reduction) {
  const Tensor& answer = view.evidence->at({activation.value, reduction, activation.axis});
  const auto channels = static_cast<size_t>(answer.shape().back());
  const auto numbers = answer.as<double>();
  std::vector<std::vector<double>> rows;
  for (size_t first = 0; first < numbers.size(); first += channels) {
    rows.emplace_back();
    for (const std::vector<int64_t>& indices : activation.indices) {
      double sum = 0;
      for (const int64_t index : indices) sum += numbers[first + static_cast<size_t>(index)];
      rows.back().push_back(sum / static_cast<double>(indices.size()));
    }
  }
  return rows;
}

std::vector<std::vector<double>> over_their_norms(std::vector<std::vector<double>> members) {
  for (std::vector<double>& member : members) {
    double squares = 0;
    for (const double score : member) squares += score * score;
    if (squares <= 0) continue;
    for (double& score : member) score /= std::sqrt(squares);
  }
  return members;
}

std::vector<float> over_layers(const GroupView& view, std::vector<std::vector<double>> members) {
  if (members.empty()) return {};
  if (view.options.own[kLayerNorm] == LayerNorm::l2) members = over_their_norms(std::move(members));
  return aggregated(members, view.options.aggregate);
}

}  // namespace coppice
