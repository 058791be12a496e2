// GroupQueryAttention (domain com.microsoft), by the kernels of what it is made of.

#include "graph/ops/group_query.h"

#include <limits>

#include "runtime/reference/kernels.h"

namespace coppice::reference {
namespace {

// How many keys of earlier runs each image has. `total`: the longest image; where that is all that
// is new, there were none.
std::vector<int64_t> before_of(const GroupQueryForm& form, const Tensor& lengths, int64_t total) {
  const std::vector<int64_t> last = to_int64s(lengths);
  std::vector<int64_t> before(static_cast<size_t>(form.batch), 0);
  if (total == form.queries) return before;
  for (size_t n = 0; n < before.size(); ++n) {
    const int64_t all = last[std::min(n, last.size() - 1)] + 1;
    before[n] = std::clamp<int64_t>(all - form.queries, 0, form.past);
  }
  return before;
}

// Numbers [first, first + size) of each row.
Tensor columns(const Tensor& x, int64_t first, int64_t size) {
  const int64_t all = x.shape().back();
  Tensor part = Tensor::zeros(DType::f32, {x.shape()[0], x.shape()[1], size});
  const auto to = part.mutate<float>();
  for (int64_t i = 0; i < part.size(); ++i)
    to[i] = x.as<float>()[i / size * all + first + i % size];
  return part;
}

Tensor rotated(const Graph& graph, const Node& node, Inputs inputs, const Tensor& x, int64_t heads,
               const Tensor& positions) {
  Node plain;
  plain.name = label_of(graph, node);
  plain.op_type = "RotaryEmbedding";
  plain.domain = "com.microsoft";
  plain.attributes = {{"num_heads", heads},
                      {"interleaved", node.attributes.integer("rotary_interleaved", 0)}};
  const std::vector<const Tensor*> given{&x, &positions, pick(inputs, kGroupCosine),
                                         pick(inputs, kGroupSine)};
  if (!given[2] || !given[3]) {
    fail_input(where(graph, node) +
               ": do_rotary is set, and there are no tables of cosines and sines");
  }
  return rotary(graph, plain, given)[0];
}

// Where each query stands, where the node isn't told.
Tensor positions_of(const GroupQueryForm& form, const std::vector<int64_t>& before) {
  Tensor positions = Tensor::zeros(DType::i64, {form.batch, form.queries});
  const auto to = positions.mutate<int64_t>();
  for (int64_t i = 0; i < positions.size(); ++i) {
    to[i] = before[i / form.queries] + i % form.queries;
  }
  return positions;
}

// The table handed on, [N, key_heads, rows, width]: rows of earlier runs, then those of this one.
Tensor present(const GroupQueryForm& form, const std::vector<int64_t>& before, const Tensor* past,
               const Tensor& now, int64_t rows) {
  Tensor table = Tensor::zeros(DType::f32, {form.batch, form.key_heads, rows, form.width});
  float* to = table.mutate<float>().data();
  for (int64_t n = 0; n < form.batch; ++n) {
    for (int64_t h = 0; h < form.key_heads; ++h) {
      for (int64_t row = 0; row < rows; ++row, to += form.width) {
        const float* from = nullptr;
        if (row < before[n]) {
          from =
              past->as<float>().data() + ((n * form.key_heads + h) * form.past + row) * form.width;
        } else if (row < before[n] + form.queries) {
          from = now.as<float>().data() +
                 ((n * form.queries + row - before[n]) * form.key_heads + h) * form.width;
        }
        if (from) std::copy_n(from, form.width, to);
      }
    }
  }
  return table;
}

// The rows of a table beside each other, [N, rows, key_heads * width].
Tensor merged(const Tensor& table) {
  Tensor result = transposed(table, {0, 2, 1, 3});
  const Shape shape = result.shape();
  return result.reshaped({shape[0], shape[1], shape[2] * shape[3]});
}

// What is added to the scores: nothing for what a query may look at, and the bias.
Tensor mask_of(const GroupQueryForm& form, const std::vector<int64_t>& before, const Tensor* bias,
               int64_t rows) {
  return mask_of_scores(
      {form.batch, form.heads, form.queries, rows}, bias, [&](int64_t n, int64_t q, int64_t row) {
        const int64_t own = before[n] + q;
        const bool seen = row <= own && (form.window == 0 || row > own - form.window);
        return seen ? 0 : -std::numeric_limits<float>::infinity();
      });
}

Tensor attend(const Graph& graph, const Node& node, const GroupQueryForm& form, const Tensor& q,
              const Tensor& keys, const Tensor& values, const Tensor& mask) {
  Node plain;
  plain.name = label_of(graph, node);
  plain.op_type = "Attention";
  plain.outputs = {node.outputs[0]};
  plain.attributes = {{"q_num_heads", form.heads},
                      {"kv_num_heads", form.key_heads},
                      {"scale", static_cast<float>(form.scale)},
                      {"softcap", static_cast<float>(form.softcap)}};
  const Tensor k = merged(keys), v = merged(values);
  const std::vector<const Tensor*> inputs{&q, &k, &v, &mask};
  return attention(graph, plain, inputs)[0];
}

}  // namespace

std::vector<Tensor> group_query_attention(const Graph& graph, const Node& node, Inputs inputs) {
  const Tensor *key = pick(inputs, kGroupKey), *past = pick(inputs, kGroupPastKey);
  const auto form = group_query_form(graph, node, inputs[0]->shape(), key ? &key->shape() : nullptr,
                                     past ? &past->shape() : nullptr);
  if (!form) {
    fail_input(where(graph, node) +
               ": sinks, quantised caches and scores as an output can't be run");
  }
  floats(graph, node, inputs, kGroupQuery);
  const int64_t total = to_int64s(*inputs[kGroupTotal]).at(0);
  const std::vector<int64_t> before = before_of(*form, *inputs[kGroupLengths], total);
  const int64_t size = form->query_size(), part = form->key_size();
  Tensor q = form->packed ? columns(*inputs[0], 0, size) : *inputs[0];
  Tensor k = form->packed ? columns(*inputs[0], size, part) : *key;
  const Tensor v = form->packed ? columns(*inputs[0], size + part, part) : *inputs[kGroupValue];
  if (form->rotates) {
    const Tensor* given = pick(inputs, kGroupPositions);
    const Tensor positions = given ? *given : positions_of(*form, before);
    q = rotated(graph, node, inputs, q, form->heads, positions);
    k = rotated(graph, node, inputs, k, form->key_heads, positions);
  }
  int64_t rows = std::max(form->past, total);
  for (const int64_t rows_before : before) rows = std::max(rows, rows_before + form->queries);
  Tensor keys = present(*form, before, past, k, rows);
  Tensor values = present(*form, before, pick(inputs, kGroupPastValue), v, rows);
  const Tensor mask = mask_of(*form, before, pick(inputs, kGroupBias), rows);
  Tensor output = attend(graph, node, *form, q, keys, values, mask);
  return {std::move(output), std::move(keys), std::move(values)};
}

}  // namespace coppice::reference
