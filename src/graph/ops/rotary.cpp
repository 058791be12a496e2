// RotaryEmbedding: pairs of numbers within a head are turned by an angle that depends on the place.
//
// A pair leaves as a whole, from every head, and with it its column in the tables of cosines and
// sines; and a head leaves as a whole.
#include "graph/ops/rotary.h"

#include <algorithm>

#include "core/error.h"
#include "graph/ops/attention.h"
#include "graph/ops/ops.h"

namespace coppice {
namespace {

constexpr char kWhy[] = "pairs of RotaryEmbedding";

RotaryForm form_of(const Relations& relations) {
  return rotary_form(relations.graph(), relations.node(), relations.input_shape(0),
                     relations.input_shape(rotary_inputs(relations.node()).cosine));
}

void infer_rotary(InferContext& context) {
  rotary_form(context.graph(), context.node(), context.shape(0),
              context.shape(rotary_inputs(context.node()).cosine));
  infer_same(context);
}

void relate_rotary(Relations& relations) {
  const RotaryForm form = form_of(relations);
  const RotaryInputs inputs = rotary_inputs(relations.node());
  const int64_t last = relations.rank(0) - 1;
  Axis width = relations.input(0, last);
  if (form.merged) {
    const int64_t sizes[] = {form.heads, form.width};
    width = relations.factor(width, sizes, "heads of RotaryEmbedding")[1];
  }
  Axis first, second;
  for (int64_t i = 0; i < form.turned / 2; ++i) {
    const auto [a, b] = form.pair(i);
    first.push_back(width[a]);
    second.push_back(width[b]);
  }
  relations.unify(first, second, kWhy);
  for (const int table : {inputs.cosine, inputs.sine}) {
    const int64_t rank = relations.rank(table);
    relations.unify(first, relations.input(table, rank - 1), kWhy);
    for (int64_t axis = 0; axis < rank - 1; ++axis) {
      relations.pin(relations.input(table, axis), PinKind::meaning, "places of RotaryEmbedding");
    }
  }
  const bool merged_places = form.merged;
  relations.pin(relations.input(0, merged_places ? 1 : 2), PinKind::meaning,
                "places of RotaryEmbedding");
  for (int64_t axis = 0; axis <= last; ++axis) {
    relations.output(0, axis, relations.input(0, axis), relations.zero_when_dead(0, axis));
  }
}

void repair_rotary(RepairContext& context) {
  if (context.unchanged()) return;
  const Node& node = context.node();
  const int table = rotary_inputs(node).cosine;
  const RotaryForm old =
      rotary_form(context.graph(), node, context.old_input(0), context.old_input(table));
  if (old.merged && node.attributes.integer("num_heads", 0) != 0) {
    const int64_t heads = heads_left(context.input_alive(0, 2), old.width);
    if (heads != old.heads) context.set_attribute("num_heads", heads);
  }
  const int64_t turned = 2 * context.new_input(table).back();
  if (node.attributes.integer("rotary_embedding_dim", 0) != 0 && turned != old.turned) {
    context.set_attribute("rotary_embedding_dim", turned);
  }
}

}  // namespace

RotaryInputs rotary_inputs(const Node& node) {
  return node.domain.empty() || node.domain == "ai.onnx" ? RotaryInputs{1, 2, 3}
                                                         : RotaryInputs{2, 3, 1};
}

RotaryForm rotary_form(const Graph& graph, const Node& node, const Shape& x, const Shape& cosine) {
  const auto fail = [&] {
    fail_input(where(graph, node) + ": data " + to_string(x) + " and tables " + to_string(cosine) +
               " don't fit together");
  };
  if ((x.size() != 3 && x.size() != 4) || cosine.empty()) fail();
  RotaryForm form;
  form.merged = x.size() == 3;
  form.interleaved = node.attributes.integer("interleaved", 0) != 0;
  form.turned = 2 * cosine.back();
  const int64_t said = node.attributes.integer("rotary_embedding_dim", 0);
  form.heads = form.merged ? node.attributes.integer("num_heads", 0) : x[1];
  // ONNX Runtime's needn't say how many heads: then a head is as wide as what is turned.
  if (form.merged && form.heads == 0 && form.turned > 0) form.heads = x[2] / form.turned;
  if (form.heads < 1 || (form.merged && x[2] % form.heads != 0)) fail();
  form.batch = x[0];
  form.places = form.merged ? x[1] : x[2];
  form.width = form.merged ? x[2] / form.heads : x[3];
  if (form.turned > form.width || (said != 0 && said != form.turned)) fail();
  return form;
}

extern const OpDef kRotaryEmbedding{
    .type = "RotaryEmbedding",
    .arity = {3, 4},
    .reads = {Reads::data, Reads::table, Reads::table, Reads::setting},
    .trains = false,
    .infer = infer_rotary,
    .relate = relate_rotary,
    .repair = repair_rotary};
extern const OpDef kRotaryOfRuntime{
    .type = "RotaryEmbedding",
    .arity = {4, 4},
    .reads = {Reads::data, Reads::setting, Reads::table, Reads::table},
    .domain = "com.microsoft",
    .trains = false,
    .infer = infer_rotary,
    .relate = relate_rotary,
    .repair = repair_rotary};

}  // namespace coppice
