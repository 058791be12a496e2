// taylor-fo: the square of how much the loss changes, to first order, when a channel's gate closes.
//
// Source: Molchanov, Mallya, Tyree, Frosio, Kautz, "Importance Estimation for Neural Network
// Pruning", CVPR 2019, arXiv:1906.10771, equation 8 on gates of 1 behind BatchNormalization: with
// its scale and shift the derivative by the gate is scale dE/dscale + shift dE/dshift, E being a
// minibatch's loss. Squares are averaged over minibatches and ranked over the network as they are.

#include <algorithm>

#include "prune/scores/responses/responses.h"

namespace coppice {
namespace {

enum class Divisor { none, gates, square };

const ChoiceOption<Divisor> kGateDivisor(
    {"gate-divisor", "none|gates|square",
     "what the score of a channel that is read at several values is divided by, where one gate "
     "stands for all: nothing, their number, or its square"},
    {{"none", Divisor::none}, {"gates", Divisor::gates}, {"square", Divisor::square}}, "gates");

// The scale behind the group's filters, where the normalisation is all there is between the one
// layer that gives its channels and those that read them; null where a gate must be one of values.
const Slice* scale_alone(const GroupView& view) {
  if (view.activations.size() != 1) return nullptr;
  const auto alone = [&](Role role) -> const Slice* {
    const auto has_role = [role](const Slice& slice) { return slice.role == role; };
    if (std::ranges::count_if(view.group.slices, has_role) != 1) return nullptr;
    return &*std::ranges::find_if(view.group.slices, has_role);
  };
  const Slice* scale = alone(Role::norm_scale);
  if (!alone(Role::filter) || !scale) return nullptr;
  const bool float32 = view.graph.value(scale->tensor).constant->dtype() == DType::f32;
  return float32 && scale->indices.front().size() == 1 ? scale : nullptr;
}

EvidenceRequest saliency_of(const GroupView& view, const Slice& scale) {
  return {view.graph.value(scale.tensor).name, Reduction::scale_saliency};
}

std::vector<EvidenceRequest> needs(const GroupView& view) {
  if (const Slice* scale = scale_alone(view)) return {saliency_of(view, *scale)};
  return of_activations(view, {Reduction::batch_gate_gradients});
}

// By batch and unit: the derivative by a gate that all values share.
std::vector<std::vector<double>> shared_gates(const GroupView& view) {
  std::vector<std::vector<double>> sums;
  for (const Activation& activation : view.activations) {
    const auto batches = rows_by_unit(view, activation, Reduction::batch_gate_gradients);
    sums.resize(batches.size(), std::vector<double>(activation.indices.size(), 0));
    for (size_t b = 0; b < batches.size(); ++b) {
      for (size_t u = 0; u < sums[b].size(); ++u) {
        sums[b][u] += batches[b][u] * static_cast<double>(activation.indices[u].size());
      }
    }
  }
  return sums;
}

std::vector<std::vector<double>> members(const GroupView& view) {
  if (view.activations.empty()) return {};
  std::vector<double> scores;
  if (const Slice* scale = scale_alone(view)) {
    const auto numbers = view.evidence->numbers(saliency_of(view, *scale));
    for (const auto& indices : scale->indices) scores.push_back(numbers[indices.front()]);
    return {scores};
  }
  const auto batches = shared_gates(view);
  scores.resize(batches.front().size(), 0);
  for (const std::vector<double>& gates : batches) {
    for (size_t u = 0; u < scores.size(); ++u) scores[u] += gates[u] * gates[u];
  }
  for (double& score : scores) score /= static_cast<double>(batches.size());
  return {scores};
}

std::vector<float> together(const GroupView& view, std::vector<std::vector<double>> members) {
  if (members.empty()) return {};
  const auto gates = static_cast<double>(view.activations.size());
  const Divisor divisor = view.options.own[kGateDivisor];
  const double by = divisor == Divisor::none    ? 1
                    : divisor == Divisor::gates ? gates
                                                : gates * gates;
  std::vector<float> scores;
  for (const double score : members.front()) scores.push_back(static_cast<float>(score / by));
  return scores;
}

std::vector<float> score(const GroupView& view) { return together(view, members(view)); }

}  // namespace

extern const Criterion kTaylorFo{
    .name = "taylor-fo",
    .paper =
        "Molchanov et al., Importance Estimation for Neural Network Pruning, CVPR 2019, "
        "arXiv:1906.10771",
    .about = "square of the loss's derivative by a channel's gate",
    .differs =
        "without a BatchNormalization of its own a channel's gate is at the values that layers "
        "read it from, one gate for all where it is read at several, as behind every addition of a "
        "residual stream; its square is divided by their number (--gate-divisor), where the "
        "authors' code divides every score by 3 and two of the shared ones by more; the loss is "
        "the training's, so that a teacher counts (--distill 0: labels alone, as in the paper)",
    .scope = Criterion::Scope::global,
    .options = {{&kGateDivisor}},
    .score = score,
    .needs = needs,
    .answered = Criterion::Answered::by_training,
    .members = members,
    .together = together,
    .aggregates = false};

}  // namespace coppice
