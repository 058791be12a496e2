// Operators that give as many rows as they find: NonZero, NonMaxSuppression, Unique, Compress. How
// many, only running them tells. OneHot stands here, too, since its depth may be such a number.

#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_non_zero(InferContext& context) {
  context.set(0, DType::i64, {context.rank(0), context.unknown_size()});
}

void infer_boxes(InferContext& context) { context.set(0, DType::i64, {context.unknown_size(), 3}); }

int64_t axis_of(const InferContext& context) {
  return resolve_axis(context.graph(), context.node(), context.node().attributes.integer("axis", 0),
                      context.rank(0));
}

void infer_unique(InferContext& context) {
  const int64_t found = context.unknown_size();
  Shape out{found};
  int64_t all = element_count(context.shape(0));
  if (context.node().attributes.has("axis")) {
    out = context.shape(0);
    all = out[axis_of(context)];
    out[axis_of(context)] = found;
  }
  context.set(0, context.type(0).dtype, out);
  context.set(1, DType::i64, {found});
  context.set(2, DType::i64, {all});
  context.set(3, DType::i64, {found});
}

void infer_compress(InferContext& context) {
  Shape out{context.unknown_size()};
  if (context.node().attributes.has("axis")) {
    const int64_t found = out[0];
    out = context.shape(0);
    out[axis_of(context)] = found;
  }
  context.set(0, context.type(0).dtype, out);
}

void infer_one_hot(InferContext& context) {
  const Tensor* depth = context.known(1);
  const int64_t size =
      depth ? static_cast<int64_t>(scalar_of(context.graph(), context.node(), *depth))
            : context.unknown_size();
  Shape out = context.shape(0);
  const int64_t axis =
      resolve_axis(context.graph(), context.node(), context.node().attributes.integer("axis", -1),
                   context.rank(0) + 1);
  out.insert(out.begin() + axis, size);
  context.set(0, context.type(2).dtype, out);
}

OpDef finds(const char* type, Arity arity, void (*infer)(InferContext&)) {
  return {.type = type,
          .arity = arity,
          .reads = {Reads::data},
          .trains = false,
          .infer = infer,
          .passes_gradient = no_gradient};
}

}  // namespace

extern const OpDef kNonZero = finds("NonZero", {1, 1}, infer_non_zero);
extern const OpDef kNonMaxSuppression = finds("NonMaxSuppression", {2, 5}, infer_boxes);
extern const OpDef kUnique = finds("Unique", {1, 1, 1, 4}, infer_unique);
extern const OpDef kCompress = finds("Compress", {2, 2}, infer_compress);
extern const OpDef kOneHot = finds("OneHot", {3, 3}, infer_one_hot);

}  // namespace coppice
