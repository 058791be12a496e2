// Attention: for each head softmax(scale Q K^T + mask) V, out of LibTorch's products.
#include "graph/ops/attention.h"

#include <limits>

#include "libtorch/lower/lowerings.h"

namespace coppice::train {
namespace {

// [N, heads, places, width]
at::Tensor by_head(const at::Tensor& x, const AttentionForm& form) {
  if (!form.merged) return x;
  return x.reshape({x.size(0), x.size(1), form.heads, -1}).transpose(1, 2);
}

constexpr double kNever = -std::numeric_limits<double>::infinity();

at::Tensor masked(at::Tensor scores, const at::Tensor& mask, bool causal) {
  if (mask.defined()) {
    scores = mask.scalar_type() == at::kBool ? scores.masked_fill(mask.logical_not(), kNever)
                                             : scores + mask;
  }
  if (!causal) return scores;
  const auto options = scores.options().dtype(at::kBool).requires_grad(false);
  const at::Tensor seen = at::ones({scores.size(-2), scores.size(-1)}, options).tril();
  return scores.masked_fill(seen.logical_not(), kNever);
}

// Over the keys. A query that may look at no key gets nothing, and gives no gradient.
at::Tensor shares_of(const at::Tensor& scores) {
  const at::Tensor blind = scores.detach().amax(-1, /*keepdim=*/true).eq(kNever);
  return at::softmax(scores.masked_fill(blind, 0), -1).masked_fill(blind, 0);
}

}  // namespace

Step lower_attention(const LowerContext& context) {
  const auto form = attention_form(context.graph(), context.node(), context.shape(0),
                                   context.shape(1), context.shape(2));
  if (!form || !form->plain() || context.has(6)) {
    context.fail(
        "it has past keys, fewer heads of keys than of queries, several outputs or a soft cap");
  }
  return [form = *form, q = context.in(0), k = context.in(1), v = context.in(2),
          m = context.has(3) ? context.in(3) : kNoValue, y = context.out()](Values& values, Mode) {
    const at::Tensor queries = by_head(values[q], form), keys = by_head(values[k], form);
    const at::Tensor scores = at::matmul(queries, keys.transpose(-2, -1)) * form.scale;
    const at::Tensor mask = m == kNoValue ? at::Tensor() : values[m];
    const at::Tensor seen = masked(scores, mask, form.causal);
    const at::Tensor shares = mask.defined() ? shares_of(seen) : at::softmax(seen, -1);
    const at::Tensor mixed = at::matmul(shares, by_head(values[v], form));
    values[y] = form.merged ? mixed.transpose(1, 2).flatten(2) : mixed;
  };
}

}  // namespace coppice::train
