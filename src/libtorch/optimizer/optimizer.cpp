// See optimizer.h.
#include "libtorch/optimizer/optimizer.h"

#include <cmath>

#include "libtorch/optimizer/one_pass.h"

namespace coppice::train {
namespace {

// What moves, side by side. LibTorch's _foreach functions take all tensors at once: on CUDA few
// launches instead of some for each, on the CPU what a loop over them computes, to the bit.
struct Moving {
  std::vector<Trained*> parameters;
  std::vector<at::Tensor> weights, gradients;
};

Moving what_moves(std::vector<Trained>& parameters, const std::vector<at::Tensor>& gradients) {
  Moving moving;
  for (size_t p = 0; p < parameters.size(); ++p) {
    if (!gradients[p].defined()) continue;
    moving.parameters.push_back(&parameters[p]);
    moving.weights.push_back(parameters[p].weight);
    moving.gradients.push_back(gradients[p]);
  }
  return moving;
}

// Never in place on a gradient: autograd may have given the same tensor to two parameters.
void add_decay(Moving& moving, double factor) {
  std::vector<size_t> decayed;
  std::vector<at::Tensor> weights, gradients;
  for (size_t i = 0; i < moving.parameters.size(); ++i) {
    if (!moving.parameters[i]->decayed) continue;
    decayed.push_back(i);
    weights.push_back(moving.weights[i]);
    gradients.push_back(moving.gradients[i]);
  }
  if (decayed.empty()) return;
  gradients = at::_foreach_add(gradients, weights, factor);
  for (size_t i = 0; i < decayed.size(); ++i) moving.gradients[decayed[i]] = gradients[i];
}

void add_l1(Moving& moving) {
  for (size_t i = 0; i < moving.parameters.size(); ++i) {
    if (const double l1 = moving.parameters[i]->l1; l1 != 0) {
      moving.gradients[i] = moving.gradients[i].add(moving.weights[i].sign(), l1);
    }
  }
}

// The slots of one number; those of a first update are zeros.
std::vector<at::Tensor> slots_of(const Moving& moving, size_t number) {
  std::vector<at::Tensor> slots;
  for (Trained* parameter : moving.parameters) {
    at::Tensor& slot = parameter->slots[number];
    if (!slot.defined()) slot = at::zeros_like(parameter->weight);
    slots.push_back(slot);
  }
  return slots;
}

// v <- momentum v + g;  w <- w - lr v, in Nesterov's form w <- w - lr (g + momentum v).
void update_sgd(const Moving& moving, const OptimizerOptions& options, double rate) {
  std::vector<at::Tensor> steps = moving.gradients;
  if (options.momentum != 0) {
    const std::vector<at::Tensor> velocities = slots_of(moving, 0);
    at::_foreach_mul_(velocities, options.momentum);
    at::_foreach_add_(velocities, moving.gradients, 1);
    const bool nesterov = options.form == OptimizerOptions::Momentum::nesterov;
    steps =
        nesterov ? at::_foreach_add(moving.gradients, velocities, options.momentum) : velocities;
  }
  at::_foreach_add_(moving.weights, steps, -rate);
}

// Kingma and Ba, "Adam", ICLR 2015, arXiv:1412.6980, algorithm 1.
void update_adam(const Moving& moving, const OptimizerOptions& options, const Update& update) {
  const std::vector<at::Tensor> means = slots_of(moving, 0), squares = slots_of(moving, 1);
  at::_foreach_mul_(means, options.beta1);
  at::_foreach_add_(means, moving.gradients, 1 - options.beta1);
  at::_foreach_mul_(squares, options.beta2);
  at::_foreach_addcmul_(squares, moving.gradients, moving.gradients, 1 - options.beta2);
  const auto number = static_cast<double>(update.number);
  const double correction1 = 1 - std::pow(options.beta1, number),
               correction2 = 1 - std::pow(options.beta2, number);
  const std::vector<at::Tensor> scales = at::_foreach_sqrt(squares);
  at::_foreach_div_(scales, std::sqrt(correction2));
  at::_foreach_add_(scales, options.epsilon);
  at::_foreach_addcdiv_(moving.weights, means, scales, -update.learning_rate / correction1);
}

// The sum of the values of each code. In one order on every device, as bincount with weights isn't
// on CUDA.
at::Tensor sum_by_code(const at::Tensor& codes, const at::Tensor& values) {
  const int64_t most = 2 * codes.numel();  // codes_of gives none above
  return at::zeros({most}, values.options()).index_add_(0, codes, values);
}

}  // namespace

std::vector<std::string> slot_names(const OptimizerOptions& options) {
  if (options.kind == OptimizerOptions::Kind::adam) return {"moment1", "moment2"};
  if (options.momentum == 0) return {};
  return {"momentum"};
}

void update(std::vector<Trained>& parameters, const std::vector<at::Tensor>& gradients,
            const OptimizerOptions& options, const Update& update) {
  std::vector<at::Tensor> others = gradients;
  for (size_t p = 0; p < parameters.size(); ++p) {
    if (!gradients[p].defined() || !fits_one_pass(parameters[p], gradients[p])) continue;
    update_in_one_pass(parameters[p], gradients[p], options, update);
    others[p].reset();
  }
  update_side_by_side(parameters, others, options, update);
}

void update_side_by_side(std::vector<Trained>& parameters, const std::vector<at::Tensor>& gradients,
                         const OptimizerOptions& options, const Update& update) {
  Moving moving = what_moves(parameters, gradients);
  if (moving.parameters.empty()) return;
  if (options.weight_decay != 0) add_decay(moving, options.weight_decay);
  add_l1(moving);
  if (options.kind == OptimizerOptions::Kind::adam) {
    update_adam(moving, options, update);
  } else {
    update_sgd(moving, options, update.learning_rate);
  }
  for (Trained* parameter : moving.parameters) apply_mask(*parameter);
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
  const at::Tensor values = gradient.reshape({-1}).to(at::kDouble);
  at::Tensor sums = sum_by_code(parameter.codes, values);
  if (parameter.tied == Trained::Tied::by_mean) {
    sums.div_(sum_by_code(parameter.codes, at::ones_like(values)).clamp_min_(1));
  }
  gradient = sums.to(gradient.dtype()).index_select(0, parameter.codes).reshape(gradient.sizes());
}

void clip(std::vector<at::Tensor>& gradients, double norm) {
  std::vector<at::Tensor> norms;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) norms.push_back(gradient.norm());
  }
  if (norms.empty()) return;
  const at::Tensor found = at::stack(norms).to(at::kCPU, at::kDouble);  // waits once
  double squares = 0;
  for (int64_t i = 0; i < found.numel(); ++i) squares += std::pow(found[i].item<double>(), 2);
  const double scale = norm / (std::sqrt(squares) + 1e-6);
  if (!(scale < 1)) return;
  for (at::Tensor& gradient : gradients) {
    if (gradient.defined()) gradient = gradient * scale;
  }
}

}  // namespace coppice::train
