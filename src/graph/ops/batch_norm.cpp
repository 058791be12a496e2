// BatchNormalization: x [N, C, ...]; scale, shift, mean, variance [C].

#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_batch_norm(InferContext& context) {
  const Shape& x = context.shape(0);
  if (x.size() < 2)
    context.fail("input has rank " + std::to_string(x.size()) + ", expected 2 or more");
  for (int i = 1; i <= 4; ++i) {
    if (context.shape(i) != Shape{x[1]}) {
      context.fail("input " + std::to_string(i) + " has shape " + to_string(context.shape(i)) +
                   ", expected " + std::to_string(x[1]) + " (the channels of its data)");
    }
  }
  context.set(0, context.type(0).dtype, x);
  for (int i = 1; i < static_cast<int>(context.node().outputs.size()); ++i) {
    context.set(i, context.type(1).dtype, {x[1]});
  }
}

void relate_batch_norm(Relations& relations) {
  constexpr Role kRoles[] = {Role::norm_scale, Role::norm_shift, Role::norm_mean,
                             Role::norm_variance};
  const Axis channels = relations.input(0, 1);
  for (int i = 1; i <= 4; ++i) {
    relations.unify(channels, relations.input(i, 0), "BatchNormalization");
    relations.role(i, 0, kRoles[i - 1]);
  }
  const bool zero = relations.zero_when_dead(1, 0) && relations.zero_when_dead(2, 0);
  for (int64_t axis = 0; axis < relations.rank(0); ++axis) {
    relations.output(0, axis, relations.input(0, axis), axis == 1 && zero);
  }
  for (int o = 1; o < static_cast<int>(relations.node().outputs.size()); ++o) {
    if (relations.node().outputs[o] != kNoValue) relations.output(o, 0, channels, false);
  }
}

}  // namespace

extern const OpDef kBatchNormalization{
    .type = "BatchNormalization",
    .arity = {5, 5, 1, 5},
    .reads = {Reads::data, Reads::scale, Reads::shift, Reads::statistic, Reads::statistic},
    .reach = Reach::channel,
    .infer = infer_batch_norm,
    .relate = relate_batch_norm};

}  // namespace coppice
