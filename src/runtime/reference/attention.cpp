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
      : tensor_(pick(inputs, 3)), causal_(form.causal) {
    if (!tensor_) return;
    strides_ = broadcast_strides(tensor_->shape(), form.scores());
    if (tensor_->dtype() != DType::boolean) numbers_ = floats(graph, node, inputs, 3);
  }

  double at(int64_t n, int64_t h, int64_t query, int64_t key) const {
    if (causal_ && key > query) return kNever;
    if (!tensor_) return 0;
    const int64_t place =
        n * strides_[0] + h * strides_[1] + query * strides_[2] + key * strides_[3];
    if (!numbers_.empty()) return numbers_[place];
    return tensor_->as<bool>()[place] ? 0 : kNever;
  }

 private:
  const Tensor* tensor_;
  bool causal_;
  Shape strides_;
  std::span<const float> numbers_;
};

// The place of the first number of a head's row, in tensors of rank 4 or 3.
int64_t row(const AttentionForm& form, int64_t n, int64_t h, int64_t place, int64_t places,
            int64_t width) {
  return form.merged ? ((n * places + place) * form.heads + h) * width
                     : ((n * form.heads + h) * places + place) * width;
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
  std::span<const float> q, k, v;
};

// One query of one head: what it takes of the values, weighed by its scores.
void attend(const AttentionForm& form, const Operands& from, const Mask& mask, int64_t n, int64_t h,
            int64_t query, float* to) {
  std::vector<double> scores(form.keys);
  const int64_t q = row(form, n, h, query, form.queries, form.width);
  for (int64_t key = 0; key < form.keys; ++key) {
    const int64_t k = row(form, n, h, key, form.keys, form.width);
    double sum = 0;
    for (int64_t c = 0; c < form.width; ++c) {
      sum += static_cast<double>(from.q[q + c]) * from.k[k + c];
    }
    scores[key] = sum * form.scale + mask.at(n, h, query, key);
  }
  normalise(scores);
  for (int64_t c = 0; c < form.value_width; ++c) {
    double sum = 0;
    for (int64_t key = 0; key < form.keys; ++key) {
      sum += scores[key] * from.v[row(form, n, h, key, form.keys, form.value_width) + c];
    }
    to[c] = static_cast<float>(sum);
  }
}

}  // namespace

std::vector<Tensor> attention(const Graph& graph, const Node& node, Inputs inputs) {
  const Operands from{floats(graph, node, inputs, 0), floats(graph, node, inputs, 1),
                      floats(graph, node, inputs, 2)};
  const auto form =
      attention_form(graph, node, inputs[0]->shape(), inputs[1]->shape(), inputs[2]->shape());
  if (!form) {
    fail_input(where(graph, node) +
               ": past keys, more than one output, fewer heads of keys than of queries and a soft "
               "cap aren't computed; export the model for an opset below 23");
  }
  const Mask mask(graph, node, inputs, *form);
  Shape shape = inputs[0]->shape();
  shape.back() = form->merged ? form->heads * form->value_width : form->value_width;
  Tensor result = Tensor::zeros(DType::f32, shape);
  float* const y = result.mutate<float>().data();
  for (int64_t n = 0; n < form->batch; ++n) {
    for (int64_t h = 0; h < form->heads; ++h) {
      for (int64_t query = 0; query < form->queries; ++query) {
        attend(*form, from, mask, n, h, query,
               y + row(*form, n, h, query, form->queries, form->value_width));
      }
    }
  }
  return {std::move(result)};
}

}  // namespace coppice::reference
