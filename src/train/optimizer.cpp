// See optimizer.h.
#include "train/optimizer.h"

#include <cmath>

namespace coppice::train {
namespace {

// Never in place on a gradient: autograd may have given the same tensor to two parameters.
//
// v <- momentum v + g;  w <- w - lr v, in Nesterov's form w <- w - lr (g + momentum v).
void update_sgd(Trained& parameter, at::Tensor& gradient, const OptimizerOptions& options,
                double rate) {
  if (options.momentum != 0) {
    at::Tensor& velocity = parameter.slots[0];
    if (!velocity.defined()) velocity = at::zeros_like(parameter.weight);
    velocity.mul_(options.momentum).add_(gradient);
    if (options.form == OptimizerOptions::Momentum::nesterov) {
      gradient = gradient.add(velocity, options.momentum);
    } else {
      gradient = velocity;
    }
  }
  parameter.weight.add_(gradient, -rate);
}

// Kingma and Ba, "Adam", ICLR 2015, arXiv:1412.6980, algorithm 1.
void update_adam(Trained& parameter, const at::Tensor& gradient, const OptimizerOptions& options,
                 const Update& update) {
  auto& [mean, square] = parameter.slots;
  if (!mean.defined()) {
    mean = at::zeros_like(parameter.weight);
    square = at::zeros_like(parameter.weight);
  }
  mean.mul_(options.beta1).add_(gradient, 1 - options.beta1);
  square.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);
  const auto number = static_cast<double>(update.number);
  const double correction1 = 1 - std::pow(options.beta1, number),
               correction2 = 1 - std::pow(options.beta2, number);
  const at::Tensor scale = square.sqrt().div_(std::sqrt(correction2)).add_(options.epsilon);
  parameter.weight.addcdiv_(mean, scale, -update.learning_rate / correction1);
}

}  // namespace

std::vector<std::string> slot_names(const OptimizerOptions& options) {
  if (options.kind == OptimizerOptions::Kind::adam) return {"moment1", "moment2"};
  if (options.momentum == 0) return {};
  return {"momentum"};
}

void update(Trained& parameter, at::Tensor gradient, const OptimizerOptions& options,
            const Update& update) {
  if (parameter.decayed && options.weight_decay != 0) {
    gradient = gradient.add(parameter.weight, options.weight_decay);
  }
  if (parameter.l1 != 0) gradient = gradient.add(parameter.weight.sign(), parameter.l1);
  if (options.kind == OptimizerOptions::Kind::adam) {
    update_adam(parameter, gradient, options, update);
  } else {
    update_sgd(parameter, gradient, options, update.learning_rate);
  }
  apply_mask(parameter);
}

void apply_mask(Trained& parameter) {
  if (!parameter.pruned.defined()) return;
  parameter.weight.masked_fill_(parameter.pruned, 0);
  for (at::Tensor& slot : parameter.slots) {
    if (slot.defined()) slot.masked_fill_(parameter.pruned, 0);
  }
}

at::Tensor codes_of(const at::Tensor& weight) {
  const at::Tensor flat = weight.reshape({-1});
  const at::Tensor codes =
      std::get<1>(at::_unique2(flat, /*sorted=*/true, /*return_inverse=*/true));
  return apart_where_zero(codes, weight);
}

at::Tensor apart_where_zero(const at::Tensor& codes, const at::Tensor& weight) {
  const at::Tensor flat = weight.reshape({-1});
  const at::Tensor own = at::arange(flat.numel(), codes.options()).add_(flat.numel());
  return at::where(flat.eq(0), own, codes);
}

void tie(const Trained& parameter, at::Tensor& gradient) {
  if (!parameter.codes.defined()) return;
  at::Tensor sums = at::bincount(parameter.codes, gradient.reshape({-1}).to(at::kDouble));
  if (parameter.tied == Trained::Tied::by_mean) {
    sums.div_(at::bincount(parameter.codes).clamp_min_(1));
  }
  gradient = sums.to(gradient.dtype()).index_select(0, parameter.codes).reshape(gradient.sizes());
}

void clip(std::vector<at::Tensor>& gradients, double norm) {
  double squares = 0;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) squares += std::pow(gradient.norm().item<double>(), 2);
  }
  const double scale = norm / (std::sqrt(squares) + 1e-6);
  if (!(scale < 1)) return;
  for (at::Tensor& gradient : gradients) {
    if (gradient.defined()) gradient = gradient * scale;
  }
}

}  // namespace coppice::train
