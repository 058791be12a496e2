// Conv on sparse weights, where the layer was chosen to run so (sparse/choices.h): images come and
// go in planes.

#include "runtime/kernels/steps.h"
#include "runtime/omp_threads.h"
#include "runtime/sparse/layer.h"
#include "runtime/sparse/operands.h"

namespace coppice::runtime {
namespace {

struct SparseStep {
  std::shared_ptr<const SparseConv> conv;
  std::vector<float> bias;
  std::vector<Finish> finish;
  std::vector<BufferId> operands;
  BufferId x, y, scratch, start;

  void operator()(Pointers pointers) {
    const auto at = [&](BufferId id) { return floats_at(pointers, id); };
    bind_operands(finish, operands, pointers);
    conv->run({.x = at(x),
               .y = at(y),
               .scratch = at(scratch),
               .bias = bias.data(),
               .start = at(start),
               .finish = finish,
               .threads = omp_get_max_threads()});
  }
};

Work work_of(const Lowering& lowering, const Tensor& weight, const SparseLayer& sparse,
             const SparseConv& conv, const SparseVariant& variant) {
  const Shape& y = lowering.shape(sparse.y);
  Work work;
  const int together = conv.rows_together();
  work.kernel = "sparse " + (together > 1 ? std::to_string(together) + "x1 " : std::string()) +
                "(" + name_of(variant.isa) + ")";
  work.weights = static_cast<int64_t>(weight.size());
  work.nonzeros = count_nonzeros(weight);
  work.own_bytes = conv.weight_bytes();
  work.macs = static_cast<double>(work.nonzeros) * static_cast<double>(y[0] * y[2] * y[3]);
  return work;
}

}  // namespace

bool lower_sparse_conv(Lowering& lowering, const Layer& layer, const SparseVariant& variant) {
  const auto sparse = sparse_layer_of(lowering.graph(), lowering.inferred(), layer);
  if (!sparse) return false;
  const AffineWeights weights = folded_weights(lowering.graph(), layer, sparse->followers.biases);
  const auto located = [&](ValueId id) { return lowering.as(id, lowering.planes_description(id)); };
  const auto bias = weights.bias.as<float>();
  SparseStep step{
      std::make_shared<SparseConv>(weights.weight, sparse->window, lowering.planes(sparse->x),
                                   lowering.planes(sparse->y), variant),
      {bias.begin(), bias.end()},
      sparse->followers.finish,
      {},
      located(sparse->x).buffer,
      -1,
      -1,
      -1};
  std::vector<BufferId> buffers{step.x};
  std::vector<ValueId> read{sparse->x};
  for (const ValueId id : sparse->followers.operands) {
    step.operands.push_back(located(id).buffer);
    buffers.push_back(step.operands.back());
    read.push_back(id);
  }
  const Description desc = lowering.planes_description(sparse->y);
  std::optional<Location> y;
  if (sparse->followers.start != kNoValue) {
    const Location start = located(sparse->followers.start);
    step.start = start.buffer;
    buffers.push_back(start.buffer);
    // What a sum begins with is read where the sum is stored, just before.
    if (lowering.may_overwrite(sparse->followers.start, read)) y = start;
  }
  if (y) {
    lowering.place_in(sparse->y, *y);
  } else {
    y = lowering.place(sparse->y, desc);
  }
  step.y = y->buffer;
  buffers.push_back(step.y);
  if (const auto bytes = static_cast<int64_t>(step.conv->scratch_bytes()); bytes > 0) {
    step.scratch = lowering.allocate(plain_description({bytes / 4})).buffer;
    buffers.push_back(step.scratch);
  }
  const Work work = work_of(lowering, weights.weight, *sparse, *step.conv, variant);
  lowering.add_step(std::move(buffers), std::move(step));
  lowering.set_work(work);
  return true;
}

}  // namespace coppice::runtime
