// See one_pass.h. Each number by itself, so threads change nothing.
#include "libtorch/optimizer/one_pass.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "libtorch/loops/step.h"
#include "libtorch/torch.h"

namespace coppice::train {
namespace {

// Fewer numbers than this aren't worth a second thread.
constexpr int64_t kNumbersOfThread = 32 * 1024;
// A mask is applied to what is still in the nearest cache.
constexpr int64_t kNumbersOfBlock = 1024;

Factors factors_of(const Trained& parameter, const OptimizerOptions& options,
                   const Update& update) {
  Factors f{};
  f.decay = parameter.decayed ? static_cast<float>(options.weight_decay) : 0;
  f.l1 = static_cast<float>(parameter.l1);
  f.rate = static_cast<float>(update.learning_rate);
  if (options.kind == OptimizerOptions::Kind::sgd) {
    const bool nesterov = options.form == OptimizerOptions::Momentum::nesterov;
    f.momentum = static_cast<float>(options.momentum);
    f.of_gradient = nesterov ? 1 : 0;
    f.of_velocity = nesterov ? f.momentum : 1;
    return f;
  }
  const auto number = static_cast<double>(update.number);
  f.rate = static_cast<float>(update.learning_rate / (1 - std::pow(options.beta1, number)));
  f.beta1 = static_cast<float>(options.beta1);
  f.rest1 = static_cast<float>(1 - options.beta1);
  f.beta2 = static_cast<float>(options.beta2);
  f.rest2 = static_cast<float>(1 - options.beta2);
  f.correction = static_cast<float>(1 / std::sqrt(1 - std::pow(options.beta2, number)));
  f.epsilon = static_cast<float>(options.epsilon);
  return f;
}

float* from(float* values, int64_t place) { return values ? values + place : nullptr; }

// In the weight's own order of its elements.
at::Tensor in_order_of(const at::Tensor& weight, const at::Tensor& other) {
  if (other.strides() == weight.strides()) return other;
  return at::empty_like(weight, other.options()).copy_(other);
}

}  // namespace

bool fits_one_pass(const Trained& parameter, const at::Tensor& gradient) {
  const at::Tensor& weight = parameter.weight;
  return weight.is_cpu() && weight.scalar_type() == at::kFloat &&
         gradient.scalar_type() == at::kFloat && gradient.layout() == at::kStrided &&
         weight.is_non_overlapping_and_dense();
}

at::Tensor kept_of(const at::Tensor& gradient, const at::Tensor& pruned) {
  const bool plain = gradient.is_cpu() && gradient.scalar_type() == at::kFloat &&
                     gradient.is_non_overlapping_and_dense();
  if (!plain) return gradient.masked_fill(pruned, 0);
  at::Tensor kept = at::empty_like(gradient);
  const at::Tensor mask = in_order_of(gradient, pruned);
  copy_kept(gradient.data_ptr<float>(), mask.data_ptr<bool>(), kept.data_ptr<float>(),
            gradient.numel());
  return kept;
}

void update_in_one_pass(Trained& parameter, const at::Tensor& gradient,
                        const OptimizerOptions& options, const Update& update) {
  const at::Tensor& weight = parameter.weight;
  const at::Tensor ordered = in_order_of(weight, gradient);
  Numbers all{weight.data_ptr<float>(), ordered.data_ptr<float>(), {}, weight.numel()};
  for (size_t s = 0; s < slot_names(options).size(); ++s) {
    at::Tensor& slot = parameter.slots[s];
    slot = slot.defined() ? in_order_of(weight, slot) : at::zeros_like(weight);
    all.slots[s] = slot.data_ptr<float>();
  }
  at::Tensor mask;
  if (parameter.pruned.defined()) mask = in_order_of(weight, parameter.pruned);
  const bool* pruned = mask.defined() ? mask.data_ptr<bool>() : nullptr;
  const Factors factors = factors_of(parameter, options, update);
  at::parallel_for(0, all.count, kNumbersOfThread, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kNumbersOfBlock) {
      const Numbers part{all.weight + at,
                         all.gradient + at,
                         {from(all.slots[0], at), from(all.slots[1], at)},
                         std::min(kNumbersOfBlock, end - at)};
      step(part, factors);
      if (pruned) zero_pruned(part, pruned + at);
    }
  });
}

}  // namespace coppice::train
