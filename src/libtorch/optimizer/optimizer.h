// The update of parameters by their gradients, as PyTorch's optimizers compute it (a test compares
// ten steps of each with PyTorch's). Ours, because their state must be plain tensors by name that
// surgery can cut, and LibTorch's own optimizers keep it under keys that change between versions.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <string>
#include <vector>

#include "training/recipe.h"

namespace coppice::train {

struct Trained {
  std::string name;
  at::Tensor weight;
  bool decayed = false;
  double l1 = 0;      // strength of the penalty on its absolute values
  at::Tensor pruned;  // bool, true where the weight stays 0; undefined: nowhere
  at::Tensor codes;   // i64, rank 1: which value of its own an element has; undefined: not tied
  enum class Tied { by_sum, by_mean } tied = Tied::by_sum;
  std::array<at::Tensor, 2> slots;  // by slot_names; undefined until the first update
};

// The names of the optimizer's slots: "momentum", or "moment1" and "moment2".
std::vector<std::string> slot_names(const OptimizerOptions& options);

struct Update {
  double learning_rate;
  int64_t number;  // from 1
};
// `gradients`: of each parameter; where one is undefined, its parameter stays as it is.
void update(std::vector<Trained>& parameters, const std::vector<at::Tensor>& gradients,
            const OptimizerOptions& options, const Update& update);
// The same by LibTorch's functions alone, whatever the device: what one_pass.h doesn't take.
void update_side_by_side(std::vector<Trained>& parameters, const std::vector<at::Tensor>& gradients,
                         const OptimizerOptions& options, const Update& update);

// Zeroes what is pruned in the weight and in the optimizer's state: momentum would revive it.
void apply_mask(Trained& parameter);

// Which value each element of a weight has; every zero has one of its own.
at::Tensor codes_of(const at::Tensor& weight);
// `codes`, of what the weight was before, but with one of its own for every element that is zero.
at::Tensor apart_where_zero(const at::Tensor& codes, const at::Tensor& weight);

// Gives every element of a tied weight the sum, or the mean, of the gradients of all elements with
// its value, so that equal values, with their equal moments, stay equal to the bit.
void tie(const Trained& parameter, at::Tensor& gradient);

// Scales the gradients so that their common Euclidean norm is at most `norm`, as PyTorch's
// clip_grad_norm_ does: by norm / (found + 1e-6) where that is below 1.
void clip(std::vector<at::Tensor>& gradients, double norm);

}  // namespace coppice::train
