// Attention (opset 23): softmax(scale Q K^T + mask) V for each head, as one node.
//
// A head leaves as a whole, with its queries, keys and values; where a head of keys serves several
// of queries, with them, and of those one may leave for each head of keys; so does a place within
// the heads, of queries and keys together, and of values by itself. The scale is one by the root of
// the width where none is given, so it is written down when the width changes.
#include "graph/ops/attention.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

constexpr int kQ = 0, kK = 1, kV = 2, kMask = 3, kPastKey = 4, kPastValue = 5;
constexpr int kPresentKey = 1, kScores = 3;
constexpr char kWhy[] = "heads of Attention";

[[noreturn]] void fail(const Graph& graph, const Node& node, const Shape& q, const Shape& k,
                       const Shape& v) {
  fail_input(where(graph, node) + ": queries " + to_string(q) + ", keys " + to_string(k) +
             " and values " + to_string(v) + " don't fit together");
}

Shape by_head(const Shape& shape, int64_t heads) {
  if (shape.size() == 4) return shape;
  return {shape[0], heads, shape[1], shape[2] / heads};
}

// For both kinds of context, whose shapes are asked for by functions of their own.
template <typename ShapeOf>
std::optional<AttentionForm> form_of(const Graph& graph, const Node& node, bool past,
                                     ShapeOf shape_of) {
  const Shape q = shape_of(kQ), k = shape_of(kK), v = shape_of(kV);
  if (!past) return attention_form(graph, node, q, k, v);
  const Shape before = shape_of(kPastKey);
  return attention_form(graph, node, q, k, v, &before);
}

void infer_attention(InferContext& context) {
  const auto form = form_of(context.graph(), context.node(), context.has(kPastKey),
                            [&](int input) -> const Shape& { return context.shape(input); });
  if (!form) return context.give_up();
  const DType type = context.type(kQ).dtype;
  context.set(0, type,
              form->merged ? Shape{form->batch, form->queries, form->heads * form->value_width}
                           : Shape{form->batch, form->heads, form->queries, form->value_width});
  context.set(kPresentKey, type, {form->batch, form->key_heads, form->all_keys(), form->width});
  context.set(kPresentKey + 1, type,
              {form->batch, form->key_heads, form->all_keys(), form->value_width});
}

struct Labels {
  Axis heads, width;
};

Labels labels_of(Relations& relations, const AttentionForm& form, int input) {
  if (!form.merged) return {relations.input(input, 1), relations.input(input, 3)};
  const int64_t heads = input == kQ ? form.heads : form.key_heads;
  const int64_t sizes[] = {heads, relations.input_shape(input)[2] / heads};
  auto parts = relations.factor(relations.input(input, 2), sizes, kWhy);
  return {std::move(parts[0]), std::move(parts[1])};
}

// A mask by head loses what the heads lose; what it says of places stays.
void relate_mask(Relations& relations, const AttentionForm& form, const Axis& heads) {
  const int64_t rank = relations.rank(kMask);
  for (int64_t axis = 0; axis < rank; ++axis) {
    const Axis& labels = relations.input(kMask, axis);
    if (rank - axis == 3 && relations.input_shape(kMask)[axis] == form.heads && form.heads > 1) {
      relations.unify(heads, labels, "mask of Attention");
    } else {
      relations.pin(labels, PinKind::meaning, "mask of Attention");
    }
  }
}

// A head of keys leaves with all heads of queries that it serves; of those, one of each may.
void tie_heads(Relations& relations, const AttentionForm& form, const Axis& queries,
               const Axis& keys) {
  if (form.heads == form.key_heads) return relations.unify(queries, keys, kWhy);
  const int64_t sizes[] = {form.key_heads, form.heads / form.key_heads};
  relations.unify(relations.factor(queries, sizes, kWhy)[0], keys, kWhy);
}

// Keys or values of earlier runs, and all of them, handed on to the next.
void relate_past(Relations& relations, int past, const Labels& labels) {
  const int present = past - kPastKey + kPresentKey;
  if (relations.has_input(past)) {
    relations.unify(relations.input(kQ, 0), relations.input(past, 0), "batch of Attention");
    relations.unify(labels.heads, relations.input(past, 1), kWhy);
    relations.pin(relations.input(past, 2), PinKind::meaning, "Softmax over it");
    relations.unify(labels.width, relations.input(past, 3), kWhy);
  }
  if (present >= std::ssize(relations.node().outputs)) return;
  relations.output(present, 0, relations.input(kQ, 0), false);
  relations.output(present, 1, labels.heads, false);
  relations.output(present, 3, labels.width, false);
}

void relate_attention(Relations& relations) {
  const AttentionForm form =
      *form_of(relations.graph(), relations.node(), relations.has_input(kPastKey),
               [&](int input) -> const Shape& { return relations.input_shape(input); });
  const int64_t length = form.merged ? 1 : 2, last = form.merged ? 2 : 3;
  const Labels q = labels_of(relations, form, kQ), k = labels_of(relations, form, kK),
               v = labels_of(relations, form, kV);
  tie_heads(relations, form, q.heads, k.heads);
  relations.unify(k.heads, v.heads, kWhy);
  relations.unify(q.width, k.width, "contraction of Attention");
  const bool keys_zero = relations.zero_when_dead(kK, last) && form.past == 0;
  if (!relations.zero_when_dead(kQ, last) && !keys_zero) {
    relations.pin(q.width, PinKind::meaning, "contracted, though a masked index isn't zero");
  }
  for (const int input : {kK, kV}) {
    relations.unify(relations.input(kQ, 0), relations.input(input, 0), "batch of Attention");
    relations.pin(relations.input(input, length), PinKind::meaning, "Softmax over it");
  }
  if (relations.has_input(kMask)) relate_mask(relations, form, q.heads);
  relate_past(relations, kPastKey, k);
  relate_past(relations, kPastValue, v);
  const bool zero = relations.zero_when_dead(kV, last) && form.past == 0;
  relations.output(0, 0, relations.input(kQ, 0), false);
  relations.output(0, length, relations.input(kQ, length), false);
  if (form.merged) {
    relations.output(0, 2, relations.join({q.heads, v.width}), zero);
  } else {
    relations.output(0, 1, q.heads, relations.zero_when_dead(kV, 1) && form.past == 0);
    relations.output(0, 3, v.width, zero);
  }
}

// By shapes alone: while channels are being counted the attributes still say how many heads there
// were. Each number of the queries meets all keys, and each of the output all values.
int64_t macs_attention(const Node&, std::span<const Shape> inputs, std::span<const Shape> outputs) {
  if (inputs[kK].size() < 3) return 0;
  int64_t keys = inputs[kK][inputs[kK].size() - 2];
  if (inputs.size() > kPastKey && inputs[kPastKey].size() == 4) keys += inputs[kPastKey][2];
  return (element_count(inputs[kQ]) + element_count(outputs[0])) * keys;
}

void repair_attention(RepairContext& context) {
  if (context.unchanged()) return;
  const Node& node = context.node();
  const AttentionForm old =
      *form_of(context.graph(), node, context.has_input(kPastKey),
               [&](int input) -> const Shape& { return context.old_input(input); });
  int64_t width = context.new_input(kK).back();
  if (old.merged) {
    const int64_t heads = heads_left(context.input_alive(kQ, 2), old.width);
    const int64_t key_heads = heads_left(context.input_alive(kK, 2), old.width);
    if (key_heads > 0) width /= key_heads;
    if (heads != old.heads) context.set_attribute("q_num_heads", heads);
    if (key_heads != old.key_heads) context.set_attribute("kv_num_heads", key_heads);
  }
  if (width != old.width && !node.attributes.has("scale")) {
    context.set_attribute("scale", static_cast<float>(old.scale));
  }
}

}  // namespace

bool absent(const std::vector<ValueId>& ids, size_t from) {
  return std::all_of(ids.begin() + static_cast<std::ptrdiff_t>(std::min(from, ids.size())),
                     ids.end(), [](ValueId id) { return id == kNoValue; });
}

Axis part(const Axis& axis, int64_t begin, int64_t size) {
  return {axis.begin() + begin, axis.begin() + begin + size};
}

int64_t heads_left(const std::vector<bool>& alive, int64_t width) {
  int64_t heads = 0;
  for (auto block = alive.begin(); block != alive.end(); block += width) {
    heads += std::find(block, block + width, true) != block + width;
  }
  return heads;
}

std::optional<AttentionForm> attention_form(const Graph& graph, const Node& node, const Shape& q,
                                            const Shape& k, const Shape& v, const Shape* past) {
  if (node.outputs.size() > kScores && node.outputs[kScores] != kNoValue) return std::nullopt;
  const size_t rank = q.size();
  if ((rank != 3 && rank != 4) || k.size() != rank || v.size() != rank) fail(graph, node, q, k, v);
  AttentionForm form;
  form.merged = rank == 3;
  form.heads = form.merged ? node.attributes.integer("q_num_heads", 0) : q[1];
  form.key_heads = form.merged ? node.attributes.integer("kv_num_heads", 0) : k[1];
  if (form.heads < 1 || form.key_heads < 1) fail(graph, node, q, k, v);
  const bool whole = form.heads % form.key_heads == 0 &&
                     (!form.merged || (q[2] % form.heads == 0 && k[2] % form.key_heads == 0 &&
                                       v[2] % form.key_heads == 0));
  if (!whole) fail(graph, node, q, k, v);
  const Shape qs = by_head(q, form.heads), ks = by_head(k, form.key_heads),
              vs = by_head(v, form.key_heads);
  const bool fits =
      qs[0] == ks[0] && qs[0] == vs[0] && ks[1] == vs[1] && ks[2] == vs[2] && qs[3] == ks[3];
  if (!fits) fail(graph, node, q, k, v);
  if (past) {
    const bool before =
        past->size() == 4 && (*past)[0] == ks[0] && (*past)[1] == ks[1] && (*past)[3] == ks[3];
    if (!before) fail(graph, node, q, *past, v);
    form.past = (*past)[2];
  }
  form.batch = qs[0];
  form.queries = qs[2];
  form.keys = ks[2];
  form.width = qs[3];
  form.value_width = vs[3];
  const double usual = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, form.width)));
  form.scale = node.attributes.has("scale") ? node.attributes.real("scale", 1) : usual;
  form.softcap = node.attributes.real("softcap", 0);
  form.causal = node.attributes.integer("is_causal", 0) != 0;
  return form;
}

extern const OpDef kAttention{.type = "Attention",
                              .arity = {3, 7, 1, 4},
                              .reads = {Reads::data, Reads::data, Reads::data, Reads::data,
                                        Reads::data, Reads::data, Reads::setting},
                              .infer = infer_attention,
                              .relate = relate_attention,
                              .macs = macs_attention,
                              .repair = repair_attention};

}  // namespace coppice
