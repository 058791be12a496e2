// GroupQueryAttention (domain com.microsoft): attention of decoders, with the keys and values of
// earlier runs, and with rotation, in one node.
//
// A head of keys leaves with its values and with all heads of queries that it serves; of those one
// may leave for each head of keys. Places within heads stay: ONNX Runtime asks for widths that are
// multiples of 8 (of 16 where it rotates), and for values as wide as keys.
#include "graph/ops/group_query.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/ops/attention.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

constexpr char kWhy[] = "heads of GroupQueryAttention";

template <typename Has, typename ShapeOf>
std::optional<GroupQueryForm> form_of(const Graph& graph, const Node& node, Has has,
                                      ShapeOf shape_of) {
  const Shape q = shape_of(kGroupQuery);
  const Shape key = has(kGroupKey) ? shape_of(kGroupKey) : Shape();
  const Shape past = has(kGroupPastKey) ? shape_of(kGroupPastKey) : Shape();
  return group_query_form(graph, node, q, has(kGroupKey) ? &key : nullptr,
                          has(kGroupPastKey) ? &past : nullptr);
}

std::optional<GroupQueryForm> form_of(const Relations& relations) {
  return form_of(
      relations.graph(), relations.node(), [&](int input) { return relations.has_input(input); },
      [&](int input) { return relations.input_shape(input); });
}

std::optional<GroupQueryForm> old_form_of(const RepairContext& context) {
  return form_of(
      context.graph(), context.node(), [&](int input) { return context.has_input(input); },
      [&](int input) { return context.old_input(input); });
}

// How many keys and values are handed on: the table keeps its length where that is enough.
std::optional<int64_t> present_of(InferContext& context, const GroupQueryForm& form) {
  if (!context.has(kGroupTotal)) return std::nullopt;
  const auto total = context.integers(kGroupTotal);
  if (!total || total->size() != 1) return std::nullopt;
  return std::max(form.past, (*total)[0]);
}

void infer_group_query(InferContext& context) {
  const auto form = form_of(
      context.graph(), context.node(), [&](int input) { return context.has(input); },
      [&](int input) { return context.shape(input); });
  if (!form) return context.give_up();
  const DType type = context.type(kGroupQuery).dtype;
  context.set(0, type, {form->batch, form->queries, form->query_size()});
  const auto known = present_of(context, *form);
  const int64_t rows = known ? *known : context.unknown_size();
  for (int o = 1; o <= 2; ++o) {
    context.set(o, type, {form->batch, form->key_heads, rows, form->width});
  }
}

struct Heads {
  Axis queries, keys, values;  // of heads and widths
};

Heads heads_of(Relations& relations, const GroupQueryForm& form) {
  const Axis& first = relations.input(kGroupQuery, 2);
  if (!form.packed) {
    return {first, relations.input(kGroupKey, 2), relations.input(kGroupValue, 2)};
  }
  const int64_t size = form.query_size();
  return {part(first, 0, size), part(first, size, form.key_size()),
          part(first, size + form.key_size(), form.key_size())};
}

// Of an axis of heads and widths, whose widths stay, the heads.
Axis heads_alone(Relations& relations, const Axis& axis, int64_t heads, int64_t width) {
  const int64_t sizes[] = {heads, width};
  const std::vector<Axis> parts = relations.factor(axis, sizes, kWhy);
  relations.pin(parts[1], PinKind::meaning, "width of a head of GroupQueryAttention");
  return parts[0];
}

void relate_tables(Relations& relations, const Axis& heads) {
  for (const int past : {kGroupPastKey, kGroupPastValue}) {
    const int present = past - kGroupPastKey + 1;
    if (relations.has_input(past)) {
      relations.unify(relations.input(kGroupQuery, 0), relations.input(past, 0),
                      "batch of GroupQueryAttention");
      relations.unify(heads, relations.input(past, 1), kWhy);
      for (const int64_t axis : {2, 3}) {
        relations.pin(relations.input(past, axis), PinKind::meaning, "keys of earlier runs");
      }
    }
    if (present >= std::ssize(relations.node().outputs)) continue;
    relations.output(present, 0, relations.input(kGroupQuery, 0), false);
    relations.output(present, 1, heads, false);
  }
}

void relate_bias(Relations& relations, const GroupQueryForm& form, const Axis& heads) {
  if (!relations.has_input(kGroupBias)) return;
  for (int64_t axis = 0; axis < relations.rank(kGroupBias); ++axis) {
    const Axis& labels = relations.input(kGroupBias, axis);
    if (axis == 1 && std::ssize(labels) == form.heads && form.heads > 1) {
      relations.unify(heads, labels, kWhy);
    } else {
      relations.pin(labels, PinKind::meaning, "bias of scores");
    }
  }
}

void relate_group_query(Relations& relations) {
  const GroupQueryForm form = *form_of(relations);
  const Heads of = heads_of(relations, form);
  const Axis queries = heads_alone(relations, of.queries, form.heads, form.width);
  const Axis keys = heads_alone(relations, of.keys, form.key_heads, form.width);
  const Axis values = heads_alone(relations, of.values, form.key_heads, form.width);
  relations.unify(keys, values, kWhy);
  const int64_t served[] = {form.key_heads, form.heads / form.key_heads};
  relations.unify(relations.factor(queries, served, kWhy)[0], keys, kWhy);
  for (const int input : {kGroupQuery, kGroupKey, kGroupValue}) {
    if (!relations.has_input(input)) continue;
    relations.unify(relations.input(kGroupQuery, 0), relations.input(input, 0),
                    "batch of GroupQueryAttention");
    relations.pin(relations.input(input, 1), PinKind::meaning, "Softmax over it");
  }
  relate_tables(relations, keys);
  relate_bias(relations, form, queries);
  for (const int table : {kGroupCosine, kGroupSine}) {
    pin_input(relations, table, PinKind::meaning, "pairs of GroupQueryAttention");
  }
  const int values_input = form.packed ? kGroupQuery : kGroupValue;
  const bool zero = relations.zero_when_dead(values_input, 2) && form.past == 0;
  relations.output(0, 0, relations.input(kGroupQuery, 0), false);
  relations.output(0, 1, relations.input(kGroupQuery, 1), false);
  relations.output(0, 2, of.queries, zero);
}

// By shapes alone, as of ONNX's own Attention: keys of this run and of earlier ones.
int64_t macs_group_query(const Node&, std::span<const Shape> inputs,
                         std::span<const Shape> outputs) {
  int64_t keys = inputs[kGroupQuery].size() == 3 ? inputs[kGroupQuery][1] : 0;
  if (inputs.size() > kGroupPastKey && inputs[kGroupPastKey].size() == 4) {
    keys += inputs[kGroupPastKey][2];
  }
  return 2 * element_count(outputs[0]) * keys;
}

void repair_group_query(RepairContext& context) {
  if (context.unchanged()) return;
  const auto old = old_form_of(context);
  if (!old) return;
  const std::vector<bool> first = context.input_alive(kGroupQuery, 2);
  const auto queries_end = first.begin() + old->query_size();
  const std::vector<bool> queries(first.begin(), queries_end);
  const std::vector<bool> keys = old->packed
                                     ? std::vector<bool>(queries_end, queries_end + old->key_size())
                                     : context.input_alive(kGroupKey, 2);
  const int64_t heads = heads_left(queries, old->width), key_heads = heads_left(keys, old->width);
  if (heads != old->heads) context.set_attribute("num_heads", heads);
  if (key_heads != old->key_heads) context.set_attribute("kv_num_heads", key_heads);
}

// What newer versions of the operator may ask for, and what isn't followed.
bool asks_for_more(const Node& node) {
  return !absent(node.inputs, kGroupBias + 1) || !absent(node.outputs, 3) ||
         node.attributes.integer("smooth_softmax", 0) > 0;
}

}  // namespace

std::optional<GroupQueryForm> group_query_form(const Graph& graph, const Node& node, const Shape& q,
                                               const Shape* key, const Shape* past) {
  if (q.size() != 3 || (key && key->size() != 3) || asks_for_more(node)) return std::nullopt;
  GroupQueryForm form;
  form.packed = key == nullptr;
  form.batch = q[0];
  form.queries = q[1];
  form.heads = node.attributes.integer("num_heads", 0);
  form.key_heads = node.attributes.integer("kv_num_heads", 0);
  const int64_t parts = form.packed ? form.heads + 2 * form.key_heads : form.heads;
  bool fits = form.heads > 0 && form.key_heads > 0 && form.heads % form.key_heads == 0 &&
              q[2] % std::max<int64_t>(1, parts) == 0;
  form.width = fits ? q[2] / parts : 0;
  if (key) fits = fits && *key == Shape{q[0], q[1], form.key_size()};
  if (past) {
    fits = fits && past->size() == 4 && (*past)[0] == q[0] && (*past)[1] == form.key_heads &&
           (*past)[3] == form.width;
    form.past = fits ? (*past)[2] : 0;
  }
  if (!fits) {
    fail_input(where(graph, node) + ": queries " + to_string(q) +
               (key ? ", keys " + to_string(*key) : "") +
               (past ? ", earlier keys " + to_string(*past) : "") + ", " +
               std::to_string(form.heads) + " heads and " + std::to_string(form.key_heads) +
               " of keys don't fit together");
  }
  const double scale = node.attributes.real("scale", 0);
  form.scale =
      scale != 0 ? scale : 1 / std::sqrt(static_cast<double>(std::max<int64_t>(1, form.width)));
  form.softcap = node.attributes.real("softcap", 0);
  form.window = std::max<int64_t>(0, node.attributes.integer("local_window_size", -1));
  form.rotates = node.attributes.integer("do_rotary", 0) != 0;
  return form;
}

extern const OpDef kGroupQueryAttention{
    .type = "GroupQueryAttention",
    .arity = {1, 14, 1, 4},
    .reads = {Reads::data, Reads::data, Reads::data, Reads::data, Reads::data, Reads::setting,
              Reads::setting, Reads::table, Reads::table, Reads::setting, Reads::data, Reads::data,
              Reads::step, Reads::step},
    .domain = "com.microsoft",
    .trains = false,
    .infer = infer_group_query,
    .relate = relate_group_query,
    .macs = macs_group_query,
    .repair = repair_group_query};

}  // namespace coppice
