// mean-activation, std-activation, apoz: what a unit's values are like over images.
//
// Sources: Molchanov, Tyree, Karras, Aila, Kautz, "Pruning Convolutional Neural Networks for
// Resource Efficient Inference", ICLR 2017, arXiv:1611.06440, section 2.1 (mean and standard
// deviation); Hu, Peng, Tai, Tang, "Network Trimming", 2016, arXiv:1607.03250, equation 1 (the
// average percentage of zeros).

#include <cmath>

#include "prune/scores/responses/responses.h"

namespace coppice {
namespace {

constexpr char kWhere[] =
    "units are seen at the values that layers read them from, so behind the activation and any "
    "pooling; coupled layers count all, and their mean keeps their spread; each layer's scores are "
    "over their Euclidean norm, as that paper has all criteria ranked over layers (--layer-norm)";
template <Reduction reduction>
std::vector<EvidenceRequest> one(const GroupView& view) {
  return of_activations(view, {reduction});
}

std::vector<EvidenceRequest> both_moments(const GroupView& view) {
  return of_activations(view, {Reduction::mean, Reduction::variance});
}

std::vector<float> mean_activation(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Activation& activation : view.activations) {
    members.push_back(rows_by_unit(view, activation, Reduction::mean_absolute).front());
  }
  return over_layers(view, std::move(members));
}

std::vector<float> share_of_others_than_zero(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Activation& activation : view.activations) {
    members.push_back(rows_by_unit(view, activation, Reduction::zero_share).front());
    for (double& score : members.back()) score = 1 - score;
  }
  return over_layers(view, std::move(members));
}

// Of all values of the unit: over its channels the mean of the variances, and the variance of the
// means.
std::vector<double> deviations(const GroupView& view, const Activation& activation) {
  const auto means = view.evidence->numbers({activation.value, Reduction::mean, activation.axis});
  std::vector<double> result = rows_by_unit(view, activation, Reduction::variance).front();
  const std::vector<double> centres = rows_by_unit(view, activation, Reduction::mean).front();
  for (size_t u = 0; u < result.size(); ++u) {
    double between = 0;
    for (const int64_t index : activation.indices[u]) {
      between += (means[index] - centres[u]) * (means[index] - centres[u]);
    }
    result[u] += between / static_cast<double>(activation.indices[u].size());
    result[u] = std::sqrt(result[u]);
  }
  return result;
}

std::vector<float> std_activation(const GroupView& view) {
  std::vector<std::vector<double>> members;
  for (const Activation& activation : view.activations) {
    members.push_back(deviations(view, activation));
  }
  return over_layers(view, std::move(members));
}

}  // namespace

extern const Criterion kMeanActivation{
    .name = "mean-activation",
    .paper =
        "Molchanov et al., Pruning CNNs for Resource Efficient Inference, ICLR 2017, "
        "arXiv:1611.06440 (sec. 2.1)",
    .about = "mean absolute activation",
    .differs =
        "the mean is that of absolute values, which behind a ReLU is the paper's; units are seen "
        "at "
        "the values that layers read them from, so behind the activation and any pooling; coupled "
        "layers count all, and their mean keeps their spread; each layer's scores are over their "
        "Euclidean norm, as the paper has all criteria ranked over layers (--layer-norm)",
    .scope = Criterion::Scope::global,
    .options = {{&kLayerNorm}},
    .score = mean_activation,
    .needs = one<Reduction::mean_absolute>};
extern const Criterion kStdActivation{
    .name = "std-activation",
    .paper =
        "Molchanov et al., Pruning CNNs for Resource Efficient Inference, ICLR 2017, "
        "arXiv:1611.06440 (sec. 2.1)",
    .about = "standard deviation of the activation over images and positions",
    .differs = kWhere,
    .scope = Criterion::Scope::global,
    .options = {{&kLayerNorm}},
    .score = std_activation,
    .needs = both_moments};
extern const Criterion kApoz{.name = "apoz",
                             .paper = "Hu et al., Network Trimming, 2016, arXiv:1607.03250",
                             .about = "share of activations that aren't zero",
                             .differs = kWhere,
                             .scope = Criterion::Scope::global,
                             .options = {{&kLayerNorm}},
                             .score = share_of_others_than_zero,
                             .needs = one<Reduction::zero_share>};

}  // namespace coppice
