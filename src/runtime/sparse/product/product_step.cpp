// Products with a constant matrix on sparse weights, where the layer was chosen to run so
// (sparse/choices.h): everything lies as it does for the dense ones.

#include "runtime/kernels/products.h"
#include "runtime/omp_threads.h"
#include "runtime/sparse/operands.h"
#include "runtime/sparse/product/product_layer.h"

namespace coppice::runtime {
namespace {

struct SparseProductStep {
  std::shared_ptr<const SparseProduct> product;
  int64_t rows;
  std::vector<float> bias;
  std::vector<Finish> finish;
  std::vector<BufferId> operands;
  BufferId x, y, scratch, start;

  void operator()(Pointers pointers) {
    const auto at = [&](BufferId id) { return floats_at(pointers, id); };
    bind_operands(finish, operands, pointers);
    product->run({.x = at(x),
                  .y = at(y),
                  .scratch = at(scratch),
                  .rows = rows,
                  .bias = bias.data(),
                  .start = at(start),
                  .finish = finish,
                  .threads = omp_get_max_threads()});
  }
};

MatrixView view_of(const MatrixProduct& product) {
  const onednn::Layout layout = onednn::layout_of(product.weight_description);
  return {product.weight.as<float>().data(), product.columns, product.inner, layout.strides[0],
          layout.strides[1]};
}

// The product's own, and what follows it by column. Nothing where that isn't one number a column.
std::optional<std::vector<float>> bias_of(const Lowering& lowering, const MatrixProduct& product,
                                          const Followers& followers) {
  std::vector<float> bias(static_cast<size_t>(product.columns), 0.0f);
  const auto add = [&](const Tensor& tensor) {
    if (tensor.size() != product.columns) return false;
    for (size_t i = 0; i < bias.size(); ++i) bias[i] += tensor.as<float>()[i];
    return true;
  };
  if (product.bias && !add(*product.bias)) return std::nullopt;
  for (const ValueId id : followers.biases) {
    const Tensor* const constant = lowering.constant(id);
    if (!constant || !add(*constant)) return std::nullopt;
  }
  return bias;
}

}  // namespace

bool lower_sparse_product(Lowering& lowering, const Layer& layer, const MatrixProduct& product) {
  const Isa* const isa = lowering.sparse_product(layer);
  if (!isa) return false;
  const auto followers = followers_of(lowering.graph(), lowering.inferred(), layer);
  if (!followers) return false;
  auto bias = bias_of(lowering, product, *followers);
  if (!bias) return false;
  const ValueId x = lowering.node(layer).inputs[0];
  SparseProductStep step{std::make_shared<SparseProduct>(view_of(product), *isa),
                         product.rows,
                         std::move(*bias),
                         followers->finish,
                         {},
                         lowering.plain(x).buffer,
                         -1,
                         -1,
                         -1};
  std::vector<BufferId> buffers{step.x};
  for (const ValueId id : followers->operands) {
    step.operands.push_back(lowering.plain(id).buffer);
    buffers.push_back(step.operands.back());
  }
  if (followers->start != kNoValue) {
    step.start = lowering.plain(followers->start).buffer;
    buffers.push_back(step.start);
  }
  step.scratch =
      lowering.allocate(plain_description({step.product->scratch_floats(product.rows)})).buffer;
  step.y = lowering.place(layer.output, plain_description(lowering.shape(layer.output))).buffer;
  buffers.insert(buffers.end(), {step.scratch, step.y});
  const int64_t nonzeros = count_nonzeros(product.weight);
  const size_t own_bytes = step.product->weight_bytes();
  lowering.add_step(std::move(buffers), std::move(step));
  lowering.set_work({"sparse (" + name_of(*isa) + ")", product.weight.size(), nonzeros,
                     static_cast<double>(nonzeros) * static_cast<double>(product.rows), own_bytes});
  return true;
}

}  // namespace coppice::runtime
