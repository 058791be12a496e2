// The answers to requests, as plain tensors. C channels, N images, P points of an image:
//
//   mean, variance, mean_absolute, zero_share, largest    f64 [C]
//   covariance                                            f64 [C, C]
//   pooled                                                f64 [N, C]
//   samples                                               f32 [N * P, C]
//   patches       f32 [N * P, I * taps], in the order of a Conv's weight: channel, then tap
//   labels                                                f64 [N]
//   gate_gradients, mean_gate_gradients                   f64 [N, C]
//   batch_gate_gradients                                  f64 [batches, C]
//   scale_saliency                                        f64 [C]
//   weight_gradients, weight_hessian_gradients            f32, or f64 where it was collected so, of
//                                                         the weight's shape
#pragma once

#include <map>
#include <optional>

#include "core/tensor.h"
#include "evidence/requests.h"

namespace coppice {

class Evidence {
 public:
  void add(const EvidenceRequest& request, Tensor answer);
  void add(const Evidence& others);

  const Tensor* find(const EvidenceRequest& request) const;  // null where it wasn't asked for
  // Requires: it was asked for.
  const Tensor& at(const EvidenceRequest& request) const;
  std::span<const double> numbers(const EvidenceRequest& request) const {
    return at(request).as<double>();
  }
  const std::map<EvidenceRequest, Tensor>& answers() const { return answers_; }
  size_t size() const { return answers_.size(); }

 private:
  std::map<EvidenceRequest, Tensor> answers_;
};

// Throws Error::usage, naming the value, for what can't be answered.
[[noreturn]] void refuse(const EvidenceRequest& request, const std::string& why);
// Along the last axis, where the first number stands that isn't finite.
std::optional<int64_t> first_not_finite(const Tensor& answer);

}  // namespace coppice
