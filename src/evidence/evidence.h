// The answers to requests, as plain tensors. C channels, N pictures, P points of a picture:
//
//   mean, variance, mean_absolute, zero_share, largest    f64 [C]
//   covariance                                            f64 [C, C]
//   pooled                                                f64 [N, C]
//   samples                                               f32 [N * P, C]
//   patches       f32 [N * P, I * taps], in the order of a Conv's weight: channel, then tap
#pragma once

#include <map>

#include "core/tensor.h"
#include "evidence/requests.h"

namespace coppice {

class Evidence {
 public:
  void add(const EvidenceRequest& request, Tensor answer);

  const Tensor* find(const EvidenceRequest& request) const;  // null where it wasn't asked for
  // Requires: it was asked for.
  const Tensor& at(const EvidenceRequest& request) const;
  std::span<const double> numbers(const EvidenceRequest& request) const {
    return at(request).as<double>();
  }
  size_t size() const { return answers_.size(); }

 private:
  std::map<EvidenceRequest, Tensor> answers_;
};

}  // namespace coppice
