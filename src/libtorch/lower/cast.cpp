// Cast and ConstantOfShape, which name an element type.
#include "libtorch/lower/lowerings.h"
#include "libtorch/tensors.h"

namespace coppice::train {

Step lower_cast(const LowerContext& context) {
  const auto to = static_cast<DType>(context.attributes().integer("to", 0));
  const auto type = torch_type_of(to);
  if (!type) context.fail("can't cast to " + name_of(to));
  return of_one(context, [type = *type](const at::Tensor& x) {
    return x.scalar_type() == type ? at::alias(x) : x.to(type);
  });
}

// Only one that is too large for inference to hold becomes a step.
Step lower_constant_of_shape(const LowerContext& context) {
  const Tensor* given = context.attributes().tensor("value");
  const double value = given ? number_of(context, *given, "'value'") : 0;
  const auto type = torch_type_of(given ? given->dtype() : DType::f32);
  if (!type) context.fail("can't make a tensor of " + name_of(given->dtype()));
  return of_one(context,
                [value, type = *type, shape = context.output_shape()](const at::Tensor& sizes) {
                  return at::full(shape, value, at::TensorOptions(type).device(sizes.device()));
                });
}

}  // namespace coppice::train
