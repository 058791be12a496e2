// DepthToSpace and SpaceToDepth: channels become pixels and back, in blocks of r x r.
//
//   DepthToSpace DCR   C = (r, r, c)   ->  c, H * r, W * r
//                CRD   C = (c, r, r)
//   SpaceToDepth       H = (h, r), W = (w, r)  ->  C' = (r, r, C), h, w
//
// A block keeps its size, whatever becomes of its pixels later.

#include "graph/ops/ops.h"

namespace coppice {
namespace {

int64_t block_of(const Node& node) { return node.attributes.integer("blocksize", 0); }

bool columns_first(const Node& node) { return node.attributes.text("mode", "DCR") == "CRD"; }

// The block's side, of an image that may have some.
int64_t required_block(const InferContext& context) {
  constexpr int64_t kLargest = 1 << 20;  // its square is a number yet
  const int64_t r = block_of(context.node());
  if (context.rank(0) != 4) {
    context.fail("input has shape " + to_string(context.shape(0)) + ", expected rank 4");
  }
  if (r < 1 || r > kLargest) context.fail("'blocksize' is " + std::to_string(r));
  return r;
}

void require_multiple(const InferContext& context, size_t axis, int64_t block) {
  if (context.shape(0)[axis] % block == 0) return;
  context.fail("axis " + std::to_string(axis) + " of input " + to_string(context.shape(0)) +
               " can't be split in blocks of " + std::to_string(block));
}

void infer_depth_to_space(InferContext& context) {
  const int64_t r = required_block(context);
  require_multiple(context, 1, r * r);
  const Shape& x = context.shape(0);
  context.set(0, context.type(0).dtype, {x[0], x[1] / (r * r), x[2] * r, x[3] * r});
}

void infer_space_to_depth(InferContext& context) {
  const int64_t r = required_block(context);
  for (const size_t axis : {2, 3}) require_multiple(context, axis, r);
  const Shape& x = context.shape(0);
  context.set(0, context.type(0).dtype, {x[0], x[1] * r * r, x[2] / r, x[3] / r});
}

void relate_depth_to_space(Relations& relations) {
  const int64_t r = block_of(relations.node()), c = relations.output_shape(0)[1];
  const bool crd = columns_first(relations.node());
  const int64_t sizes[] = {crd ? c : r, r, crd ? r : c};
  const auto parts = relations.factor(relations.input(0, 1), sizes, "blocks of DepthToSpace");
  const bool zero = relations.zero_when_dead(0, 1);
  relations.output(0, 0, relations.input(0, 0), relations.zero_when_dead(0, 0));
  relations.output(0, 1, parts[crd ? 0 : 2], zero);
  for (int64_t axis : {2, 3}) {
    const Axis& block = parts[crd ? axis - 1 : axis - 2];
    relations.pin(block, PinKind::meaning, "a place in the blocks of DepthToSpace");
    relations.output(0, axis, relations.join({relations.input(0, axis), block}), false);
  }
}

void relate_space_to_depth(Relations& relations) {
  const int64_t r = block_of(relations.node());
  std::vector<Axis> run;
  relations.output(0, 0, relations.input(0, 0), relations.zero_when_dead(0, 0));
  for (int64_t axis : {2, 3}) {
    const int64_t sizes[] = {relations.input_shape(0)[axis] / r, r};
    auto parts = relations.factor(relations.input(0, axis), sizes, "blocks of SpaceToDepth");
    relations.pin(parts[1], PinKind::meaning, "a place in the blocks of SpaceToDepth");
    relations.output(0, axis, std::move(parts[0]), relations.zero_when_dead(0, axis));
    run.push_back(std::move(parts[1]));
  }
  run.push_back(relations.input(0, 1));
  relations.output(0, 1, relations.join(run), relations.zero_when_dead(0, 1));
}

std::vector<Tensor> evaluate_depth_to_space(const Graph&, const Node& node,
                                            std::span<const Tensor* const> inputs) {
  const Shape& x = inputs[0]->shape();
  const int64_t r = block_of(node), c = x[1] / (r * r), h = x[2], w = x[3];
  const bool crd = columns_first(node);
  const Tensor apart =
      inputs[0]->reshaped(crd ? Shape{x[0], c, r, r, h, w} : Shape{x[0], r, r, c, h, w});
  const Tensor moved = transposed(apart, crd ? Shape{0, 1, 4, 2, 5, 3} : Shape{0, 3, 4, 1, 5, 2});
  return {moved.reshaped({x[0], c, h * r, w * r})};
}

std::vector<Tensor> evaluate_space_to_depth(const Graph&, const Node& node,
                                            std::span<const Tensor* const> inputs) {
  const Shape& x = inputs[0]->shape();
  const int64_t r = block_of(node), h = x[2] / r, w = x[3] / r;
  const Tensor apart = inputs[0]->reshaped({x[0], x[1], h, r, w, r});
  return {transposed(apart, {0, 3, 5, 1, 2, 4}).reshaped({x[0], x[1] * r * r, h, w})};
}

}  // namespace

extern const OpDef kDepthToSpace{.type = "DepthToSpace",
                                 .arity = {1, 1},
                                 .reads = {Reads::data},
                                 .moves = Moves::permutes,
                                 .infer = infer_depth_to_space,
                                 .relate = relate_depth_to_space,
                                 .evaluate = evaluate_depth_to_space};
extern const OpDef kSpaceToDepth{.type = "SpaceToDepth",
                                 .arity = {1, 1},
                                 .reads = {Reads::data},
                                 .moves = Moves::permutes,
                                 .infer = infer_space_to_depth,
                                 .relate = relate_space_to_depth,
                                 .evaluate = evaluate_space_to_depth};

}  // namespace coppice
