// Attention: for each head softmax(scale Q K^T + mask) V.

#include "graph/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// What is added to the score of a query and a key, by their place in [N, heads, queries, keys].
class Mask {
 public:
  Mask(const Graph& graph, const Node& node, Inputs inputs, const AttentionForm& form)
      : tensor_(pick(inputs, 3)), form_(form) {
    if (const Tensor* lengths = pick(inputs, 6)) lengths_ = to_int64s(*lengths);
    if (!tensor_) return;
    // A mask may say nothing of the last keys, which then can't be looked at.
    Shape all = form.scores();
    seen_ = tensor_->shape().back() == 1 ? all.back() : tensor_->shape().back();
    all.back() = seen_;
    strides_ = broadcast_strides(tensor_->shape(), all);
    if (tensor_->dtype() != DType::boolean) numbers_ = floats(graph, node, inputs, 3);
  }

  double at(int64_t n, int64_t h, int64_t query, int64_t key) const {
    if (form_.causal && key > query + form_.past) return kNever;
    if (!lengths_.empty() && key >= lengths_[n]) return kNever;
    if (!tensor_) return 0;
    if (key >= seen_) return kNever;
    const int64_t place =
        n * strides_[0] + h * strides_[1] + query * strides_[2] + key * strides_[3];
    if (!numbers_.empty()) return numbers_[place];
    return tensor_->as<bool>()[place] ? 0 : kNever;
  }

 private:
  const Tensor* tensor_;
  const AttentionForm& form_;
  int64_t seen_ = 0;
  Shape strides_;
  std::span<const float> numbers_;
  std::vector<int64_t> lengths_;  // by image: how many keys count
};

// The place of the first number of a head's row, in tensors of rank 4 or 3.
int64_t row(bool merged, int64_t n, int64_t h, int64_t heads, int64_t place, int64_t places,
            int64_t width) {
  return merged ? ((n * places + place) * heads + h) * width
                : ((n * heads + h) * places + place) * width;
}

// Keys, or values, of earlier runs and of this one: [N, key_heads, all, width].
Tensor joined(const AttentionForm& form, const Tensor& now, const Tensor* before, int64_t width) {
  Tensor all = Tensor::zeros(DType::f32, {form.batch, form.key_heads, form.all_keys(), width});
  float* to = all.mutate<float>().data();
  for (int64_t n = 0; n < form.batch; ++n) {
    for (int64_t h = 0; h < form.key_heads; ++h) {
      for (int64_t key = 0; key < form.all_keys(); ++key, to += width) {
        const bool past = key < form.past;
        const int64_t from =
            past ? row(false, n, h, form.key_heads, key, form.past, width)
                 : row(form.merged, n, h, form.key_heads, key - form.past, form.keys, width);
        std::copy_n((past ? *before : now).as<float>().data() + from, width, to);
      }
    }
  }
  return all;
}

// A query that may look at no key gets nothing, as ONNX Runtime and PyTorch have it.
void normalise(std::vector<double>& scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  if (largest == kNever) return scores.assign(scores.size(), 0);
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (double& score : scores) score /= sum;
}

struct Operands {
  std::span<const float> q, k, v;  // k and v as `joined` has them
};

// One query of one head: what it takes of the values, weighed by its scores.
void attend(const AttentionForm& form, const Operands& from, const Mask& mask, int64_t n, int64_t h,
            int64_t query, float* to) {
  std::vector<double> scores(form.all_keys());
  const int64_t q = row(form.merged, n, h, form.heads, query, form.queries, form.width);
  const int64_t served = h / (form.heads / form.key_heads);
  const int64_t first = (n * form.key_heads + served) * form.all_keys();
  for (int64_t key = 0; key < form.all_keys(); ++key) {
    double sum = 0;
    for (int64_t c = 0; c < form.width; ++c) {
      sum += static_cast<double>(from.q[q + c]) * from.k[(first + key) * form.width + c];
    }
    sum *= form.scale;
    if (form.softcap > 0) sum = form.softcap * std::tanh(sum / form.softcap);
    scores[key] = sum + mask.at(n, h, query, key);
  }
  normalise(scores);
  for (int64_t c = 0; c < form.value_width; ++c) {
    double sum = 0;
    for (int64_t key = 0; key < form.all_keys(); ++key) {
      sum += scores[key] * from.v[(first + key) * form.value_width + c];
    }
    to[c] = static_cast<float>(sum);
  }
}

}  // namespace

Tensor mask_of_scores(const Shape& shape, const Tensor* bias,
                      const std::function<float(int64_t, int64_t, int64_t)>& own) {
  Tensor mask = Tensor::zeros(DType::f32, shape);
  float* to = mask.mutate<float>().data();
  Shape told = shape;
  if (bias && bias->shape().back() != 1) told.back() = bias->shape().back();
  const Shape strides = bias ? broadcast_strides(bias->shape(), told) : Shape(4, 0);
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t h = 0; h < shape[1]; ++h) {
      for (int64_t q = 0; q < shape[2]; ++q) {
        for (int64_t k = 0; k < shape[3]; ++k, ++to) {
          *to = own(n, q, k);
          if (!bias || std::isinf(*to)) continue;
          *to +=
              bias->as<float>()[n * strides[0] + h * strides[1] + q * strides[2] + k * strides[3]];
        }
      }
    }
  }
  return mask;
}

std::vector<Tensor> attention(const Graph& graph, const Node& node, Inputs inputs) {
  for (const size_t input : {0, 1, 2}) floats(graph, node, inputs, input);
  const Tensor *past_key = pick(inputs, 4), *past_value = pick(inputs, 5);
  const auto form = attention_form(graph, node, inputs[0]->shape(), inputs[1]->shape(),
                                   inputs[2]->shape(), past_key ? &past_key->shape() : nullptr);
  if (!form || (past_key != nullptr) != (past_value != nullptr)) {
    fail_input(where(graph, node) +
               ": scores as an output, and past keys without values, aren't computed; export the "
               "model without them");
  }
  const Mask mask(graph, node, inputs, *form);
  Tensor keys = joined(*form, *inputs[1], past_key, form->width);
  Tensor values = joined(*form, *inputs[2], past_value, form->value_width);
  const Operands from{floats(graph, node, inputs, 0), keys.as<float>(), values.as<float>()};
  Shape shape = inputs[0]->shape();
  shape.back() = form->merged ? form->heads * form->value_width : form->value_width;
  Tensor result = Tensor::zeros(DType::f32, shape);
  float* const y = result.mutate<float>().data();
  for (int64_t n = 0; n < form->batch; ++n) {
    for (int64_t h = 0; h < form->heads; ++h) {
      for (int64_t query = 0; query < form->queries; ++query) {
        attend(*form, from, mask, n, h, query,
               y + row(form->merged, n, h, form->heads, query, form->queries, form->value_width));
      }
    }
  }
  return {std::move(result), std::move(keys), std::move(values)};
}

}  // namespace coppice::reference
