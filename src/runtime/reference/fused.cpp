// What ONNX Runtime's optimiser fused, by the kernels of what it was: FusedConv,
// MultiHeadAttention, Attention and EmbedLayerNormalization (domain com.microsoft).

#include <cmath>
#include <string_view>

#include "graph/ops/fused_attention.h"
#include "graph/ops/matmul.h"
#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

// A row of [N, places, size], with the part of a bias from `first` on.
Tensor with_bias(const Tensor& x, const Tensor* bias, int64_t first) {
  Tensor result = x;
  if (!bias) return result;
  const int64_t size = x.shape().back();
  const auto elements = result.mutate<float>();
  for (int64_t i = 0; i < result.size(); ++i) {
    elements[i] += bias->as<float>()[first + i % size];
  }
  return result;
}

// What is added to the scores [N, heads, queries, keys], of all masks together.
Tensor mask_of(const Graph& graph, const Node& node, const FusedAttentionForm& form,
               const Tensor* padding, const Tensor* bias) {
  const float filter = node.attributes.real("mask_filter_value", -10000.0f);
  const std::vector<int64_t> counts = padding ? to_int64s(*padding) : std::vector<int64_t>{};
  const bool lengths = padding && padding->rank() == 1 && padding->size() == form.batch;
  const bool places = padding && padding->rank() == 2;
  if (padding && !lengths && !places) {
    fail_input(where(graph, node) + ": a mask of shape " + to_string(padding->shape()) +
               " can't be run; only one of lengths, or of keys, can");
  }
  return mask_of_scores({form.batch, form.heads, form.queries, form.keys}, bias,
                        [&](int64_t n, int64_t, int64_t k) {
                          const bool beyond = lengths && k >= counts[n];
                          const bool left_out = places && counts[n * form.keys + k] == 0;
                          return beyond || left_out ? filter : 0;
                        });
}

std::vector<Tensor> attend(const Graph& graph, const Node& node, const FusedAttentionForm& form,
                           const std::vector<Tensor>& qkv, const Tensor* padding,
                           const Tensor* bias) {
  Node plain;
  plain.name = label_of(graph, node);
  plain.op_type = "Attention";
  plain.outputs = {node.outputs[0]};
  plain.attributes = {{"q_num_heads", form.heads},
                      {"kv_num_heads", form.heads},
                      {"scale", static_cast<float>(form.scale)},
                      {"is_causal", node.attributes.integer("unidirectional", 0)}};
  const Tensor mask = mask_of(graph, node, form, padding, bias);
  const std::vector<const Tensor*> inputs{&qkv[0], &qkv[1], &qkv[2], &mask};
  std::vector<Tensor> outputs = attention(graph, plain, inputs);
  outputs.resize(1);
  return outputs;
}

float activated(const std::string& kind, const std::vector<float>& given, float x) {
  const auto parameter = [&](size_t i, float otherwise) {
    return i < given.size() ? given[i] : otherwise;
  };
  if (kind == "Relu") return std::max(x, 0.0f);
  if (kind == "Tanh") return std::tanh(x);
  if (kind == "Sigmoid") return 1 / (1 + std::exp(-x));
  if (kind == "LeakyRelu") return x < 0 ? x * parameter(0, 0.01f) : x;
  if (kind == "Clip") return std::clamp(x, parameter(0, -3e38f), parameter(1, 3e38f));
  if (kind == "HardSigmoid") {
    return std::clamp(parameter(0, 0.2f) * x + parameter(1, 0.5f), 0.0f, 1.0f);
  }
  return x;
}

}  // namespace

std::vector<Tensor> fused_conv(const Graph& graph, const Node& node, Inputs inputs) {
  const std::string kind = node.attributes.text("activation", "");
  constexpr std::string_view kKnown[] = {"",          "Relu", "Tanh",       "Sigmoid",
                                         "LeakyRelu", "Clip", "HardSigmoid"};
  if (std::ranges::find(kKnown, kind) == std::end(kKnown)) {
    fail_input(where(graph, node) + ": activation '" + kind + "' can't be run");
  }
  const auto given = node.attributes.reals("activation_params").value_or(std::vector<float>{});
  std::vector<Tensor> result = conv(graph, node, inputs);
  const auto y = result[0].mutate<float>();
  const auto more = pick(inputs, 3) ? floats(graph, node, inputs, 3) : std::span<const float>();
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = activated(kind, given, y[i] + (more.empty() ? 0 : more[i]));
  }
  return result;
}

namespace {

// The sum of input, skip and bias, repeated where it has fewer axes.
Tensor summed(const Graph& graph, const Node& node, Inputs inputs, size_t bias) {
  floats(graph, node, inputs, 0);
  Tensor sum = *inputs[0];
  const auto to = sum.mutate<float>();
  for (const size_t input : {size_t{1}, bias}) {
    if (!pick(inputs, input)) continue;
    const auto more = floats(graph, node, inputs, input);
    for (size_t i = 0; i < to.size(); ++i) to[i] += more[i % more.size()];
  }
  return sum;
}

std::vector<Tensor> with_sum(std::vector<Tensor> normalised, Tensor sum) {
  normalised.resize(3);  // statistics aren't given
  normalised.push_back(std::move(sum));
  return normalised;
}

}  // namespace

std::vector<Tensor> skip_norm(const Graph& graph, const Node& node, Inputs inputs) {
  Tensor sum = summed(graph, node, inputs, 4);
  Node plain = node;
  plain.outputs.resize(1);
  const std::vector<const Tensor*> given{&sum, inputs[2], pick(inputs, 3)};
  std::vector<Tensor> normalised = layer_norm(graph, plain, given);
  return with_sum(std::move(normalised), std::move(sum));
}

std::vector<Tensor> skip_simplified_norm(const Graph& graph, const Node& node, Inputs inputs) {
  Tensor sum = summed(graph, node, inputs, 3);
  Node plain = node;
  plain.outputs.resize(1);
  const std::vector<const Tensor*> given{&sum, inputs[2]};
  std::vector<Tensor> normalised = rms_norm(graph, plain, given);
  return with_sum(std::move(normalised), std::move(sum));
}

// Sums of a row of each table, normalised; how many places a mask leaves of each text; the sums.
std::vector<Tensor> embedding_norm(const Graph& graph, const Node& node, Inputs inputs) {
  const Shape& ids = inputs[0]->shape();
  const int64_t places = ids[1], width = inputs[2]->shape()[1];
  Tensor sum = Tensor::zeros(DType::f32, {ids[0], places, width});
  const auto to = sum.mutate<float>();
  const auto add_rows = [&](size_t table, const Tensor* picked) {
    const auto from = floats(graph, node, inputs, table);
    const std::vector<int64_t> rows = picked ? to_int64s(*picked) : std::vector<int64_t>();
    for (int64_t i = 0; i < sum.size(); ++i) {
      const int64_t place = i / width;
      int64_t row = place % places;
      if (picked) row = rows[std::ssize(rows) == places ? place % places : place];
      if (row < 0 || row >= inputs[table]->shape()[0]) {
        fail_input(where(graph, node) + ": row " + std::to_string(row) + " is beyond the " +
                   std::to_string(inputs[table]->shape()[0]) + " of its table");
      }
      to[i] += from[row * width + i % width];
    }
  };
  add_rows(2, inputs[0]);
  add_rows(3, pick(inputs, 8));
  if (pick(inputs, 4) && pick(inputs, 1)) add_rows(4, inputs[1]);
  Tensor counts = Tensor::zeros(DType::i32, {ids[0]});
  if (const Tensor* mask = pick(inputs, 7)) {
    const std::vector<int64_t> left = to_int64s(*mask);
    for (int64_t i = 0; i < std::ssize(left); ++i) {
      counts.mutate<int32_t>()[i / places] += static_cast<int32_t>(left[i]);
    }
  }
  Node plain = node;
  plain.outputs.resize(1);
  const std::vector<const Tensor*> given{&sum, inputs[5], inputs[6]};
  Tensor normalised = layer_norm(graph, plain, given)[0];
  return {std::move(normalised), std::move(counts), std::move(sum)};
}

std::vector<Tensor> multi_head_attention(const Graph& graph, const Node& node, Inputs inputs) {
  const auto form = pick(inputs, 1) && pick(inputs, 2)
                        ? multi_head_form(graph, node, inputs[0]->shape(), &inputs[1]->shape(),
                                          &inputs[2]->shape())
                        : std::nullopt;
  if (!form) fail_input(where(graph, node) + ": packed or past keys can't be run");
  for (const size_t input : {0, 1, 2}) floats(graph, node, inputs, input);
  const Tensor* bias = pick(inputs, 3);
  const int64_t size = form->heads * form->width;
  return attend(graph, node, *form,
                {with_bias(*inputs[0], bias, 0), with_bias(*inputs[1], bias, size),
                 with_bias(*inputs[2], bias, 2 * size)},
                pick(inputs, 4), pick(inputs, 5));
}

std::vector<Tensor> attention_of_runtime(const Graph& graph, const Node& node, Inputs inputs) {
  const auto form = own_attention_form(graph, node, inputs[0]->shape(), inputs[1]->shape());
  if (!form) fail_input(where(graph, node) + ": past keys and rotation can't be run");
  const Product product = product_of(floats(graph, node, inputs, 0), inputs[0]->shape(),
                                     floats(graph, node, inputs, 1), inputs[1]->shape());
  const int64_t all = product.shape.back(), size = form->heads * form->width;
  std::vector<Tensor> qkv;
  int64_t first = 0;
  for (const int64_t width : {size, size, all - 2 * size}) {
    Tensor part = Tensor::zeros(DType::f32, {form->batch, form->queries, width});
    const auto to = part.mutate<float>();
    for (int64_t i = 0; i < part.size(); ++i) {
      to[i] = static_cast<float>(product.sums[i / width * all + first + i % width]);
    }
    qkv.push_back(with_bias(part, pick(inputs, 2), first));
    first += width;
  }
  return attend(graph, node, *form, qkv, pick(inputs, 3), pick(inputs, 5));
}

}  // namespace coppice::reference
