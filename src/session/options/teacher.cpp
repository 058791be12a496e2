// See teacher.h.
#include "session/options/teacher.h"

#include <string>

#include "core/error.h"
#include "graph/infer.h"
#include "training/judging/evaluation.h"

namespace coppice {
namespace {

std::string describe(const std::optional<TensorType>& type) {
  if (!type) return "of unknown shape";
  return std::string(name_of(type->dtype)) + " " + to_string(type->shape);
}

void require_same_outputs(const Graph& teacher, const Inferred& taught_by, const Graph& original,
                          const Inferred& inferred, const std::string& what) {
  if (teacher.outputs.size() != original.outputs.size()) {
    fail_input("the " + what + " has " + std::to_string(teacher.outputs.size()) +
               " outputs, the model " + std::to_string(original.outputs.size()) + "; a " + what +
               " needs the same ones");
  }
  for (size_t o = 0; o < teacher.outputs.size(); ++o) {
    const auto& its = taught_by.types[static_cast<size_t>(teacher.outputs[o])];
    const auto& ours = inferred.types[static_cast<size_t>(original.outputs[o])];
    if (describe(its) == describe(ours)) continue;
    fail_input("output '" + teacher.value(teacher.outputs[o]).name + "' of the " + what + " is " +
               describe(its) + ", '" + original.value(original.outputs[o]).name +
               "' of the model is " + describe(ours) + "; a " + what + " needs the same ones");
  }
}

}  // namespace

void require_teaches(const Graph& teacher, const Graph& original, const std::string& what) {
  if (const auto reason = why_not_for_images(teacher)) fail_input("the " + what + ": " + *reason);
  const int64_t fixed = fixed_batch(original), batch = fixed > 0 ? fixed : 2;
  const Shape images = input_shape(original, original.inputs.front(), {{}, batch, 0});
  const Shape taken = input_shape(teacher, teacher.inputs.front(), {{}, batch, 0});
  if (images != taken) {
    fail_input("the " + what + " takes images of " + to_string(taken) + ", the model of " +
               to_string(images) + "; a " + what + " must see the same ones");
  }
  const InputSizes sizes{.inputs = {}, .batch = batch};
  require_same_outputs(teacher, infer(teacher, sizes), original, infer(original, sizes), what);
}

}  // namespace coppice
