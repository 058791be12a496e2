// Evidence with gradients by autograd: what requests ask of a network, and the answers to them from
// the tensors of one batch.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "evidence/evidence.h"
#include "libtorch/network.h"

namespace coppice::train {

class GradientRequests {
 public:
  // Throws Error::usage as Trainer::collect does, as far as the graph alone says.
  GradientRequests(const Graph& graph, std::span<const EvidenceRequest> requests);

  // What the answers are made from: what the graph computes, then its constants; each once.
  const std::vector<ValueId>& values() const { return values_; }
  const std::vector<ValueId>& weights() const { return weights_; }
  // Whether gradients are differentiated once more.
  bool needs_second_order() const;
  // `tensors`: of the values, then of the weights, as the loss was computed from them;
  // `gradients`: those of the loss, undefined where there is none. Throws Error::usage as
  // Trainer::collect does.
  Evidence answers(const std::vector<at::Tensor>& tensors, const std::vector<at::Tensor>& gradients,
                   int64_t images) const;

 private:
  // By weight: its part of H g, with g the gradients by those that are asked for so.
  std::vector<at::Tensor> hessian_gradients(const std::vector<at::Tensor>& tensors,
                                            const std::vector<at::Tensor>& gradients) const;
  struct Source {
    EvidenceRequest request;
    size_t first;       // of the tensors; a scale has its shift behind it
    size_t second = 0;  // scale_saliency: the shift
  };

  std::vector<ValueId> values_, weights_;
  std::vector<Source> sources_;  // `first` and `second` count from the weights where it is one
};

// Those of the loss by each tensor, in one pass back; undefined where there is none.
enum class Order { first, second };  // second: they can be differentiated themselves
std::vector<at::Tensor> gradients_of(const at::Tensor& loss, const std::vector<at::Tensor>& tensors,
                                     Order order = Order::first);

// While it lives, all that is trained has gradients, frozen or not; afterwards the network is as it
// was, its statistics included.
class AsItWas {
 public:
  AsItWas(Network& network, const std::vector<ValueId>& statistics);
  ~AsItWas();
  AsItWas(const AsItWas&) = delete;
  AsItWas& operator=(const AsItWas&) = delete;

 private:
  Network& network_;
  std::vector<std::pair<ValueId, at::Tensor>> statistics_;
  std::vector<at::Tensor> frozen_;
};

}  // namespace coppice::train
