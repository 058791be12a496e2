// See gradient_evidence.h. Products are taken in float, as autograd gives their factors, and added
// up in double.
#include "libtorch/evidence/gradient_evidence.h"

#include <algorithm>

#include "core/error.h"
#include "graph/views/batch_norm.h"
#include "libtorch/tensors.h"
#include "libtorch/torch.h"
#include "training/parameters.h"

namespace coppice::train {
namespace {

size_t place_in(std::vector<ValueId>& ids, ValueId id) {
  const auto found = std::ranges::find(ids, id);
  const size_t place = found - ids.begin();
  if (found == ids.end()) ids.push_back(id);
  return place;
}

// Of the one BatchNormalization that the scale belongs to.
ValueId shift_of(const Graph& graph, ValueId scale, const EvidenceRequest& request) {
  ValueId shift = kNoValue;
  for (const Node& node : graph.nodes) {
    const auto norm = batch_norm_of(graph, node);
    if (!norm || norm->scale != scale) continue;
    if (shift != kNoValue) refuse(request, "it is the scale of several BatchNormalizations");
    shift = norm->shift;
  }
  if (shift == kNoValue) refuse(request, "it isn't the scale of a BatchNormalization");
  return shift;
}

void require_axis(const EvidenceRequest& request, const at::Tensor& value, int64_t images) {
  const bool fits =
      value.dim() > 0 && value.size(0) == images && request.axis > 0 && request.axis < value.dim();
  if (fits) return;
  refuse(request, "axis " + std::to_string(request.axis) + " of the shape " +
                      to_string(value.sizes().vec()) + ", expected that of channels, and " +
                      std::to_string(images) + " images along axis 0");
}

// By image and channel; sums, or means over the positions. Of a batch one row: the gradients are of
// its mean loss already.
at::Tensor gates_of(const EvidenceRequest& request, const at::Tensor& value,
                    const at::Tensor& gradient, int64_t images) {
  std::vector<int64_t> positions;
  for (int64_t axis = 1; axis < value.dim(); ++axis) {
    if (axis != request.axis) positions.push_back(axis);
  }
  const at::Tensor products = value.detach() * gradient;
  const at::Tensor sums = positions.empty() ? products.to(at::kDouble)
                                            : at::sum(products, positions, false, at::kDouble);
  const auto count = static_cast<double>(value.numel()) / static_cast<double>(sums.numel());
  if (request.reduction == Reduction::batch_gate_gradients) return sums.sum(0, /*keepdim=*/true);
  const bool mean = request.reduction == Reduction::mean_gate_gradients;
  return sums * (static_cast<double>(images) / (mean ? count : 1));
}

at::Tensor product(const at::Tensor& value, const at::Tensor& gradient) {
  return value.detach().to(at::kDouble) * gradient.to(at::kDouble);
}

}  // namespace

std::vector<at::Tensor> gradients_of(const at::Tensor& loss, const std::vector<at::Tensor>& tensors,
                                     Order order) {
  std::vector<at::Tensor> with_gradient;
  for (const at::Tensor& tensor : tensors) {
    if (tensor.requires_grad()) with_gradient.push_back(tensor);
  }
  std::vector<at::Tensor> found(with_gradient.size()), gradients;
  if (loss.requires_grad() && !with_gradient.empty()) {
    found = torch::autograd::grad({loss}, with_gradient, {}, /*retain_graph=*/{},
                                  /*create_graph=*/order == Order::second,
                                  /*allow_unused=*/true);
  }
  auto next = found.begin();
  for (const at::Tensor& tensor : tensors) {
    gradients.push_back(tensor.requires_grad() ? *next++ : at::Tensor());
  }
  return gradients;
}

GradientRequests::GradientRequests(const Graph& graph, std::span<const EvidenceRequest> requests) {
  if (requests.empty()) return;  // as in most steps, which shouldn't pay for the maps
  std::map<std::string, ValueId> computed, trained;
  for (const Node& node : graph.nodes) {
    for (const ValueId id : node.outputs) {
      if (id != kNoValue) computed[graph.value(id).name] = id;
    }
  }
  for (const Parameter& parameter : trained_parameters(graph)) {
    trained[graph.value(parameter.id).name] = parameter.id;
  }
  for (const EvidenceRequest& request : requests) {
    if (!needs_gradients(request.reduction)) {
      refuse(request, "it needs no gradients; the runtime measures it");
    }
    const bool of_value = is_of_gates(request.reduction);
    const auto& known = of_value ? computed : trained;
    const auto found = known.find(request.value);
    if (found == known.end()) {
      refuse(request, of_value ? "the model computes none of that name"
                               : "the model has no trained weight of that name");
    }
    Source source{request, place_in(of_value ? values_ : weights_, found->second)};
    if (request.reduction == Reduction::scale_saliency) {
      const ValueId shift = shift_of(graph, found->second, request);
      if (!trained.contains(graph.value(shift).name)) refuse(request, "its shift isn't trained");
      source.second = place_in(weights_, shift);
    }
    sources_.push_back(std::move(source));
  }
}

bool GradientRequests::needs_second_order() const {
  return std::ranges::any_of(sources_, [](const Source& source) {
    return source.request.reduction == Reduction::weight_hessian_gradients;
  });
}

std::vector<at::Tensor> GradientRequests::hessian_gradients(
    const std::vector<at::Tensor>& tensors, const std::vector<at::Tensor>& gradients) const {
  std::vector<at::Tensor> by_weight(weights_.size()), asked;
  at::Tensor along;  // g times itself held fixed: its derivative is H g
  for (const Source& source : sources_) {
    if (source.request.reduction != Reduction::weight_hessian_gradients) continue;
    const at::Tensor& gradient = gradients[values_.size() + source.first];
    if (!gradient.defined()) continue;  // refused below
    asked.push_back(tensors[values_.size() + source.first]);
    const at::Tensor part = (gradient * gradient.detach()).sum();
    along = along.defined() ? along + part : part;
  }
  if (asked.empty()) return by_weight;
  const std::vector<at::Tensor> found = gradients_of(along, asked);
  for (size_t w = 0; w < weights_.size(); ++w) {
    const at::Tensor& weight = tensors[values_.size() + w];
    by_weight[w] = at::zeros_like(weight);  // where the gradients don't depend on it
    for (size_t a = 0; a < asked.size(); ++a) {
      if (asked[a].is_same(weight) && found[a].defined()) by_weight[w] = found[a];
    }
  }
  return by_weight;
}

Evidence GradientRequests::answers(const std::vector<at::Tensor>& tensors,
                                   const std::vector<at::Tensor>& gradients, int64_t images) const {
  const std::vector<at::Tensor> hessian = hessian_gradients(tensors, gradients);
  const at::NoGradGuard no_gradients;
  Evidence evidence;
  for (const Source& source : sources_) {
    const EvidenceRequest& request = source.request;
    const bool of_value = is_of_gates(request.reduction);
    const size_t first = source.first + (of_value ? 0 : values_.size());
    const at::Tensor &tensor = tensors[first], &gradient = gradients[first];
    if (!tensor.requires_grad()) refuse(request, "no gradient comes to it from trained weights");
    if (!gradient.defined()) refuse(request, "the loss doesn't depend on it");
    if (of_value) {
      require_axis(request, tensor, images);
      evidence.add(request, from_torch(gates_of(request, tensor, gradient, images)));
    } else if (request.reduction == Reduction::weight_gradients) {
      evidence.add(request, from_torch(gradient));
    } else if (request.reduction == Reduction::weight_hessian_gradients) {
      evidence.add(request, from_torch(hessian[source.first]));
    } else {
      const size_t shift = values_.size() + source.second;
      const at::Tensor gate = product(tensor, gradient) + product(tensors[shift], gradients[shift]);
      evidence.add(request, from_torch(gate * gate));
    }
  }
  return evidence;
}

AsItWas::AsItWas(Network& network, const std::vector<ValueId>& statistics) : network_(network) {
  for (const ValueId id : statistics) {
    at::Tensor& statistic = network.constant(id);
    statistics_.emplace_back(id, statistic);
    statistic = statistic.clone();
  }
  for (const Parameter& parameter : trained_parameters(network.graph())) {
    at::Tensor& weight = network.constant(parameter.id);
    if (weight.requires_grad()) continue;
    frozen_.push_back(weight.requires_grad_());
  }
}

AsItWas::~AsItWas() {
  for (const auto& [id, statistic] : statistics_) network_.constant(id) = statistic;
  for (const at::Tensor& weight : frozen_) weight.requires_grad_(false);
}

}  // namespace coppice::train
