// MultiHeadAttention and Attention as ONNX Runtime's optimiser writes them
// (domain com.microsoft). Heads, and places within them, leave as from ONNX's own Attention; biases
// and weights of queries, keys and values lie side by side on one axis.
#include "graph/ops/fused_attention.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/ops/attention.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

constexpr char kDomain[] = "com.microsoft", kWhy[] = "heads of attention";

// Three axes of heads and widths are tied as attention ties them. Gives the output's last axis.
Axis tie_heads(Relations& relations, const FusedAttentionForm& form, const Axis& q, const Axis& k,
               const Axis& v, bool zero) {
  const int64_t sizes[] = {form.heads, form.width};
  const int64_t value_sizes[] = {form.heads, form.value_width};
  const auto of_q = relations.factor(q, sizes, kWhy), of_k = relations.factor(k, sizes, kWhy);
  const auto of_v = relations.factor(v, value_sizes, kWhy);
  relations.unify(of_q[0], of_k[0], kWhy);
  relations.unify(of_q[0], of_v[0], kWhy);
  relations.unify(of_q[1], of_k[1], "contraction of attention");
  if (!zero) {
    relations.pin(of_q[1], PinKind::meaning, "contracted, though a masked index isn't zero");
  }
  return relations.join({of_q[0], of_v[1]});
}

// What says which keys count, and what is added to scores: by head, or as it is.
void relate_masks(Relations& relations, const FusedAttentionForm& form, const Axis& q, int padding,
                  int bias) {
  pin_input(relations, padding, PinKind::meaning, "mask of attention");
  if (!relations.has_input(bias)) return;
  const int64_t sizes[] = {form.heads, form.width};
  for (int64_t axis = 0; axis < relations.rank(bias); ++axis) {
    const Axis& labels = relations.input(bias, axis);
    const bool by_head = relations.rank(bias) - axis == 3 &&
                         relations.input_shape(bias)[axis] == form.heads && form.heads > 1;
    if (by_head) {
      relations.unify(relations.factor(q, sizes, kWhy)[0], labels, "mask of attention");
    } else {
      relations.pin(labels, PinKind::meaning, "mask of attention");
    }
  }
}

void repair_heads(RepairContext& context, const FusedAttentionForm& old,
                  const std::vector<bool>& alive) {
  const int64_t heads = heads_left(alive, old.width);
  const int64_t left = std::count(alive.begin(), alive.end(), true);
  if (heads != old.heads) context.set_attribute("num_heads", heads);
  const bool narrower = heads > 0 && left / heads != old.width;
  if (narrower && context.node().attributes.real("scale", 0) == 0) {
    context.set_attribute("scale", static_cast<float>(old.scale));
  }
}

// --- MultiHeadAttention

template <typename Context, typename ShapeOf>
std::optional<FusedAttentionForm> multi_head_of(const Context& context, ShapeOf shape_of) {
  const auto has = [&](int input) {
    return input < std::ssize(context.node().inputs) && context.node().inputs[input] != kNoValue;
  };
  if (!has(1) || !has(2)) return std::nullopt;
  const Shape k = shape_of(1), v = shape_of(2);
  return multi_head_form(context.graph(), context.node(), shape_of(0), &k, &v);
}

void infer_multi_head(InferContext& context) {
  const auto form = multi_head_of(context, [&](int input) { return context.shape(input); });
  if (!form) return context.give_up();
  context.set(0, context.type(0).dtype,
              {form->batch, form->queries, form->heads * form->value_width});
}

void relate_multi_head(Relations& relations) {
  const FusedAttentionForm form =
      *multi_head_of(relations, [&](int input) { return relations.input_shape(input); });
  const Axis q = relations.input(0, 2), k = relations.input(1, 2), v = relations.input(2, 2);
  bool zero = true;
  if (relations.has_input(3)) {
    const int64_t size = std::ssize(q);
    const Axis& bias = relations.input(3, 0);
    relations.unify(q, part(bias, 0, size), "bias of attention");
    relations.unify(k, part(bias, size, size), "bias of attention");
    relations.unify(v, part(bias, 2 * size, std::ssize(v)), "bias of attention");
    relations.role(3, 0, Role::bias);
    zero = relations.zero_when_dead(3, 0);
  }
  const bool contracted =
      zero && (relations.zero_when_dead(0, 2) || relations.zero_when_dead(1, 2));
  Axis out = tie_heads(relations, form, q, k, v, contracted);
  for (const int input : {1, 2}) {
    relations.unify(relations.input(0, 0), relations.input(input, 0), "batch of attention");
    relations.pin(relations.input(input, 1), PinKind::meaning, "Softmax over it");
  }
  relate_masks(relations, form, q, 4, 5);
  relations.output(0, 0, relations.input(0, 0), false);
  relations.output(0, 1, relations.input(0, 1), false);
  relations.output(0, 2, std::move(out), zero && relations.zero_when_dead(2, 2));
}

// By shapes alone, as of ONNX's own Attention.
int64_t macs_multi_head(const Node&, std::span<const Shape> inputs,
                        std::span<const Shape> outputs) {
  if (inputs.size() < 3 || inputs[1].size() != 3) return 0;
  return (element_count(inputs[0]) + element_count(outputs[0])) * inputs[1][1];
}

void repair_multi_head(RepairContext& context) {
  if (context.unchanged()) return;
  const auto old = multi_head_of(context, [&](int input) { return context.old_input(input); });
  if (old) repair_heads(context, *old, context.input_alive(0, 2));
}

// --- Attention

void infer_own_attention(InferContext& context) {
  const auto form =
      own_attention_form(context.graph(), context.node(), context.shape(0), context.shape(1));
  if (!form) return context.give_up();
  context.set(0, context.type(0).dtype,
              {form->batch, form->queries, form->heads * form->value_width});
}

void relate_own_attention(Relations& relations) {
  const FusedAttentionForm form = *own_attention_form(
      relations.graph(), relations.node(), relations.input_shape(0), relations.input_shape(1));
  const int64_t size = form.heads * form.width, values = form.heads * form.value_width;
  relations.role(1, 1, Role::filter);
  relations.role(1, 0, Role::input_channel);
  relate_contraction(relations, 0, 2, 1, 0, "input of attention");
  const Axis all = relations.input(1, 1);
  bool zero = relations.zero_when_dead(1, 1);
  if (relations.has_input(2)) {
    relations.unify(all, relations.input(2, 0), "bias of attention");
    relations.role(2, 0, Role::bias);
    zero = zero && relations.zero_when_dead(2, 0);
  }
  const Axis q = part(all, 0, size);
  Axis out =
      tie_heads(relations, form, q, part(all, size, size), part(all, 2 * size, values), zero);
  relations.pin(relations.input(0, 1), PinKind::meaning, "Softmax over it");
  relate_masks(relations, form, q, 3, 5);
  relations.output(0, 0, relations.input(0, 0), false);
  relations.output(0, 1, relations.input(0, 1), false);
  relations.output(0, 2, std::move(out), zero);
}

int64_t macs_own_attention(const Node&, std::span<const Shape> inputs,
                           std::span<const Shape> outputs) {
  const Shape& x = inputs[0];
  const int64_t all = inputs[1].back(), values = outputs[0].back();
  return element_count(x) * all + x[0] * x[1] * x[1] * ((all - values) / 2 + values);
}

void repair_own_attention(RepairContext& context) {
  if (context.unchanged()) return;
  const auto old = own_attention_form(context.graph(), context.node(), context.old_input(0),
                                      context.old_input(1));
  if (!old) return;
  const std::vector<bool> alive = context.input_alive(1, 1);
  const int64_t size = old->heads * old->width;
  const auto left = [&](int64_t begin, int64_t end) {
    return static_cast<int64_t>(std::count(alive.begin() + begin, alive.begin() + end, true));
  };
  repair_heads(context, *old, {alive.begin(), alive.begin() + size});
  const std::vector<int64_t> sizes{left(0, size), left(size, 2 * size),
                                   left(2 * size, std::ssize(alive))};
  const bool said = context.node().attributes.has("qkv_hidden_sizes");
  if (said || sizes[0] != sizes[2]) context.set_attribute("qkv_hidden_sizes", sizes);
}

}  // namespace

std::optional<FusedAttentionForm> multi_head_form(const Graph& graph, const Node& node,
                                                  const Shape& q, const Shape* k, const Shape* v) {
  const bool followed = k && v && q.size() == 3 && k->size() == 3 && v->size() == 3 &&
                        absent(node.inputs, 6) && absent(node.outputs, 1);
  if (!followed) return std::nullopt;
  FusedAttentionForm form;
  form.heads = node.attributes.integer("num_heads", 0);
  const bool fits = form.heads > 0 && q[2] % form.heads == 0 && q[2] == (*k)[2] &&
                    (*v)[2] % form.heads == 0 && (*k)[1] == (*v)[1] && q[0] == (*k)[0];
  if (!fits) {
    fail_input(where(graph, node) + ": queries " + to_string(q) + ", keys " + to_string(*k) +
               " and values " + to_string(*v) + " don't fit together");
  }
  form.batch = q[0];
  form.queries = q[1];
  form.keys = (*k)[1];
  form.width = q[2] / form.heads;
  form.value_width = (*v)[2] / form.heads;
  const double given = node.attributes.real("scale", 0);
  form.scale = given != 0 ? given : 1 / std::sqrt(static_cast<double>(form.width));
  return form;
}

std::optional<FusedAttentionForm> own_attention_form(const Graph& graph, const Node& node,
                                                     const Shape& x, const Shape& weight) {
  const bool past = node.inputs.size() > 4 && node.inputs[4] != kNoValue;
  const bool followed = !past && absent(node.inputs, 6) && absent(node.outputs, 1) &&
                        node.attributes.integer("do_rotary", 0) == 0 && x.size() == 3 &&
                        weight.size() == 2;
  if (!followed) return std::nullopt;
  FusedAttentionForm form;
  form.heads = node.attributes.integer("num_heads", 0);
  const std::vector<int64_t> sizes =
      node.attributes.integers("qkv_hidden_sizes").value_or(std::vector<int64_t>(3, weight[1] / 3));
  const bool fits = form.heads > 0 && sizes.size() == 3 && sizes[0] == sizes[1] &&
                    sizes[0] + sizes[1] + sizes[2] == weight[1] && sizes[0] % form.heads == 0 &&
                    sizes[2] % form.heads == 0 && weight[0] == x[2];
  if (!fits) {
    fail_input(where(graph, node) + ": input " + to_string(x) + " and weight " + to_string(weight) +
               " don't fit together");
  }
  form.batch = x[0];
  form.queries = form.keys = x[1];
  form.width = sizes[0] / form.heads;
  form.value_width = sizes[2] / form.heads;
  const double given = node.attributes.real("scale", 0);
  form.scale = given != 0 ? given : 1 / std::sqrt(static_cast<double>(form.width));
  return form;
}

extern const OpDef kMultiHeadAttention{
    .type = "MultiHeadAttention",
    .arity = {1, 10, 1, 4},
    .reads = {Reads::data, Reads::data, Reads::data, Reads::bias, Reads::data, Reads::data,
              Reads::data, Reads::data, Reads::data, Reads::data},
    .domain = kDomain,
    .trains = false,
    .infer = infer_multi_head,
    .relate = relate_multi_head,
    .macs = macs_multi_head,
    .repair = repair_multi_head};
extern const OpDef kAttentionOfRuntime{
    .type = "Attention",
    .arity = {2, 7, 1, 2},
    .reads = {Reads::data, Reads::weight, Reads::bias, Reads::data, Reads::data, Reads::data,
              Reads::data},
    .domain = kDomain,
    .trains = false,
    .infer = infer_own_attention,
    .relate = relate_own_attention,
    .macs = macs_own_attention,
    .repair = repair_own_attention};
}  // namespace coppice
