// MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool: channels pass, pixels are pooled.

#include <numeric>

#include "graph/ops/image.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

void infer_pool(InferContext& context) {
  require_image(context, "3 to 5");
  const Shape& x = context.shape(0);
  const auto kernel = context.node().attributes.integers("kernel_shape");
  if (!kernel) context.fail("attribute 'kernel_shape' is missing");
  const Window window = window_of(context.graph(), context.node(), spatial_of(x), *kernel);
  const bool ceil = context.node().attributes.integer("ceil_mode", 0) != 0;
  Shape output{x[0], x[1]};
  for (const int64_t size : window_output(window, spatial_of(x), ceil)) output.push_back(size);
  context.set(0, context.type(0).dtype, output);
  context.set(1, DType::i64, output);
}

void infer_global_pool(InferContext& context) {
  require_image(context, "3 to 5");
  Shape output = context.shape(0);
  for (size_t axis = 2; axis < output.size(); ++axis) output[axis] = 1;
  context.set(0, context.type(0).dtype, output);
}

void relate_pool(Relations& relations) {
  std::vector<int64_t> spatial(relations.rank(0) - 2);
  std::iota(spatial.begin(), spatial.end(), 2);
  relate_pooled(relations, spatial, true, true, PinKind::meaning, "pooled over");
  if (relations.node().outputs.size() < 2) return;
  for (int64_t axis = 0; axis < 2; ++axis) {
    relations.output(1, axis, relations.input(0, axis), false);
  }
  if (relations.is_read(1)) {
    // The second output of MaxPool holds positions counted over all channels.
    pin_input(relations, 0, PinKind::meaning, "positions of MaxPool are counted over channels");
  }
}

}  // namespace

extern const OpDef kMaxPool{.type = "MaxPool",
                            .arity = {1, 1, 1, 2},
                            .reads = {Reads::data},
                            .reach = Reach::channel,
                            .infer = infer_pool,
                            .relate = relate_pool,
                            .passes_gradient = gradient_of_first};
extern const OpDef kAveragePool{.type = "AveragePool",
                                .arity = {1, 1},
                                .reads = {Reads::data},
                                .reach = Reach::channel,
                                .infer = infer_pool,
                                .relate = relate_pool};
extern const OpDef kGlobalAveragePool{.type = "GlobalAveragePool",
                                      .arity = {1, 1},
                                      .reads = {Reads::data},
                                      .reach = Reach::channel,
                                      .infer = infer_global_pool,
                                      .relate = relate_pool};
extern const OpDef kGlobalMaxPool{.type = "GlobalMaxPool",
                                  .arity = {1, 1},
                                  .reads = {Reads::data},
                                  .reach = Reach::channel,
                                  .infer = infer_global_pool,
                                  .relate = relate_pool};

}  // namespace coppice
