// Attention (opset 23): softmax(scale Q K^T + mask) V for each head, as one node.
//
// A head leaves as a whole, with its queries, keys and values; so does a place within the heads, of
// queries and keys together, and of values by itself. The scale is one by the root of the width
// where none is given, so it is written down when the width changes.
#include "graph/ops/attention.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

constexpr int kQ = 0, kK = 1, kV = 2, kMask = 3;
constexpr char kWhy[] = "heads of Attention";

[[noreturn]] void fail(const Graph& graph, const Node& node, const Shape& q, const Shape& k,
                       const Shape& v) {
  fail_input(where(graph, node) + ": queries " + to_string(q) + ", keys " + to_string(k) +
             " and values " + to_string(v) + " don't fit together");
}

bool plain(const Node& node) {
  const auto absent = [](const std::vector<ValueId>& ids, size_t from) {
    return std::all_of(ids.begin() + static_cast<std::ptrdiff_t>(std::min(from, ids.size())),
                       ids.end(), [](ValueId id) { return id == kNoValue; });
  };
  return absent(node.inputs, kMask + 1) && absent(node.outputs, 1) &&
         node.attributes.real("softcap", 0) == 0;
}

Shape by_head(const Shape& shape, int64_t heads) {
  if (shape.size() == 4) return shape;
  return {shape[0], heads, shape[1], shape[2] / heads};
}

AttentionForm form_of(const Graph& graph, const Node& node, const Shape& q, const Shape& k,
                      const Shape& v) {
  return *attention_form(graph, node, q, k, v);
}

void infer_attention(InferContext& context) {
  const auto form = attention_form(context.graph(), context.node(), context.shape(kQ),
                                   context.shape(kK), context.shape(kV));
  if (!form) return context.give_up();
  if (context.has(kMask) &&
      broadcast(context.shape(kMask), form->scores()) != std::optional(form->scores())) {
    return context.give_up();
  }
  context.set(0, context.type(kQ).dtype,
              form->merged ? Shape{form->batch, form->queries, form->heads * form->value_width}
                           : Shape{form->batch, form->heads, form->queries, form->value_width});
}

struct Labels {
  Axis heads, width;
};

Labels labels_of(Relations& relations, const AttentionForm& form, int input) {
  if (!form.merged) return {relations.input(input, 1), relations.input(input, 3)};
  const int64_t sizes[] = {form.heads, relations.input_shape(input)[2] / form.heads};
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

void relate_attention(Relations& relations) {
  const AttentionForm form = form_of(relations.graph(), relations.node(), relations.input_shape(kQ),
                                     relations.input_shape(kK), relations.input_shape(kV));
  const int64_t length = form.merged ? 1 : 2, last = form.merged ? 2 : 3;
  const Labels q = labels_of(relations, form, kQ), k = labels_of(relations, form, kK),
               v = labels_of(relations, form, kV);
  relations.unify(q.heads, k.heads, kWhy);
  relations.unify(q.heads, v.heads, kWhy);
  relations.unify(q.width, k.width, "contraction of Attention");
  if (!relations.zero_when_dead(kQ, last) && !relations.zero_when_dead(kK, last)) {
    relations.pin(q.width, PinKind::meaning, "contracted, though a masked index isn't zero");
  }
  for (const int input : {kK, kV}) {
    relations.unify(relations.input(kQ, 0), relations.input(input, 0), "batch of Attention");
    relations.pin(relations.input(input, length), PinKind::meaning, "Softmax over it");
  }
  if (relations.has_input(kMask)) relate_mask(relations, form, q.heads);
  relations.output(0, 0, relations.input(kQ, 0), false);
  relations.output(0, length, relations.input(kQ, length), false);
  if (form.merged) {
    relations.output(0, 2, relations.join({q.heads, v.width}), relations.zero_when_dead(kV, 2));
  } else {
    relations.output(0, 1, q.heads, relations.zero_when_dead(kV, 1));
    relations.output(0, 3, v.width, relations.zero_when_dead(kV, 3));
  }
}

int64_t macs_attention(const Node& node, std::span<const Shape> inputs, std::span<const Shape>) {
  const auto form = attention_form(Graph(), node, inputs[kQ], inputs[kK], inputs[kV]);
  if (!form) return 0;
  return element_count(form->scores()) * (form->width + form->value_width);
}

// Of heads and width merged: how many blocks of the old width still have something.
int64_t heads_left(const std::vector<bool>& alive, int64_t width) {
  int64_t heads = 0;
  for (auto block = alive.begin(); block != alive.end(); block += width) {
    heads += std::find(block, block + width, true) != block + width;
  }
  return heads;
}

void repair_attention(RepairContext& context) {
  if (context.unchanged()) return;
  const Node& node = context.node();
  const AttentionForm old = form_of(context.graph(), node, context.old_input(kQ),
                                    context.old_input(kK), context.old_input(kV));
  int64_t width = context.new_input(kQ).back();
  if (old.merged) {
    const int64_t heads = heads_left(context.input_alive(kQ, 2), old.width);
    if (heads > 0) width /= heads;
    for (const char* name : {"q_num_heads", "kv_num_heads"}) {
      if (heads != old.heads) context.set_attribute(name, heads);
    }
  }
  if (width != old.width && !node.attributes.has("scale")) {
    context.set_attribute("scale", static_cast<float>(old.scale));
  }
}

}  // namespace

std::optional<AttentionForm> attention_form(const Graph& graph, const Node& node, const Shape& q,
                                            const Shape& k, const Shape& v) {
  if (!plain(node)) return std::nullopt;
  const size_t rank = q.size();
  if ((rank != 3 && rank != 4) || k.size() != rank || v.size() != rank) fail(graph, node, q, k, v);
  AttentionForm form;
  form.merged = rank == 3;
  form.heads = form.merged ? node.attributes.integer("q_num_heads", 0) : q[1];
  const int64_t others = form.merged ? node.attributes.integer("kv_num_heads", 0) : k[1];
  if (form.heads < 1 || others < 1) fail(graph, node, q, k, v);
  if (form.heads != others) return std::nullopt;
  const bool whole =
      !form.merged || (q[2] % form.heads == 0 && k[2] % form.heads == 0 && v[2] % form.heads == 0);
  if (!whole) fail(graph, node, q, k, v);
  const Shape qs = by_head(q, form.heads), ks = by_head(k, form.heads), vs = by_head(v, form.heads);
  const bool fits = qs[0] == ks[0] && qs[0] == vs[0] && qs[1] == ks[1] && qs[1] == vs[1] &&
                    ks[2] == vs[2] && qs[3] == ks[3];
  if (!fits) fail(graph, node, q, k, v);
  form.batch = qs[0];
  form.queries = qs[2];
  form.keys = ks[2];
  form.width = qs[3];
  form.value_width = vs[3];
  const double usual = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, form.width)));
  form.scale = node.attributes.has("scale") ? node.attributes.real("scale", 1) : usual;
  form.causal = node.attributes.integer("is_causal", 0) != 0;
  return form;
}

extern const OpDef kAttention{.type = "Attention",
                              .arity = {3, 7, 1, 4},
                              .reads = {Reads::data},
                              .infer = infer_attention,
                              .relate = relate_attention,
                              .macs = macs_attention,
                              .repair = repair_attention};

}  // namespace coppice
