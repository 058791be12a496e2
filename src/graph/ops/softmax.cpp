// Softmax and LogSoftmax: what leaves would change what the others are divided by, so the axis is
// pinned. Before opset 13 they run over all axes from `axis` on.

#include "graph/ops/ops.h"

namespace coppice {
namespace {

void relate_softmax(Relations& relations) {
  const int64_t rank = relations.rank(0);
  const bool old = relations.graph().opset < 13;
  const int64_t axis =
      resolve_axis(relations.graph(), relations.node(),
                   relations.node().attributes.integer("axis", old ? 1 : -1), rank);
  for (int64_t i = 0; i < rank; ++i) {
    const bool normalised = old ? i >= axis : i == axis;
    if (normalised) {
      relations.pin(relations.input(0, i), PinKind::meaning, relations.node().op_type + " over it");
    }
    relations.output(0, i, relations.input(0, i), false);
  }
}

constexpr OpDef softmax(const char* type) {
  return {.type = type,
          .arity = {1, 1},
          .reads = {Reads::data},
          .infer = infer_same,
          .relate = relate_softmax};
}

}  // namespace

extern const OpDef kSoftmax = softmax("Softmax");
extern const OpDef kLogSoftmax = softmax("LogSoftmax");

}  // namespace coppice
