// See simplify.h.
#include "tasks/forms/simplify.h"

#include "core/error.h"
#include "core/files.h"
#include "graph/infer.h"
#include "methods/options/blocks.h"
#include "methods/rewrite.h"
#include "onnx/onnx.h"
#include "tasks/parts/cut_summary.h"
#include "tasks/parts/output_path.h"

namespace coppice {
namespace {

Form form_of(const Settings& settings) {
  Form form(settings);
  form.simplifies = true;
  return form;
}

// With calls of functions as one node each, as the file has them.
int64_t nodes_of(const Graph& graph) {
  auto nodes = std::ssize(graph.nodes);
  for (const FunctionCall& call : graph.calls) nodes += 1 - std::ssize(call.body);
  for (const FoldedWeight& weight : graph.folded) nodes += std::ssize(weight.nodes);
  return nodes;
}

FormSide side_of(const Graph& graph, int64_t bytes) {
  return {.nodes = nodes_of(graph), .opset = graph.opset, .bytes = bytes};
}

void prove(const Graph& original, const Graph& simplified, uint64_t seed, SimplifyReport& report) {
  const InputSizes sizes = fitting_sizes(original, {.inputs = {}, .batch = 2});
  report.proof =
      within("the simplified model can't be proved",
             [&] { return require_same(original, simplified, sizes, "simplifying", seed); },
             {option_hint("verify", "off", "does without")});
  report.proof_inputs = describe_inputs(original, sizes);
}

Json to_json(const FormSide& side) {
  return {{"nodes", side.nodes}, {"opset", side.opset}, {"bytes", side.bytes}};
}

}  // namespace

OptionList options_of_simplify() { return joined(form_options(), {{&kFor}, {&kVerify}}); }

SimplifyReport simplify(const SimplifyRequest& request, Watcher& watcher) {
  Places places(request.common);
  places.reads_model(request.model);
  AtomicFile file(places.writes("-o", request.output, ".onnx"));
  const Model model = load_model(request.model, request.common, watcher);
  SimplifyReport report;
  report.model = request.model;
  report.output = request.output;
  report.before = side_of(model.graph, model.bytes);
  Graph simplified = model.graph;
  report.inlined = rewrite(simplified, form_of(request.settings));
  if (request.settings[kVerify] == Verify::on) {
    prove(model.graph, simplified, request.common.seed, report);
  }
  report.after = side_of(simplified, static_cast<int64_t>(onnx_bytes(simplified)));
  write_onnx(simplified, file, places.taken());
  file.commit();
  return report;
}

Json to_json(const SimplifyReport& report) {
  Json json = {{"model", report.model},
               {"output", report.output},
               {"before", to_json(report.before)},
               {"after", to_json(report.after)},
               {"functions_inlined", report.inlined},
               {"verified", report.proof.has_value()}};
  if (report.proof) json["proof"] = to_json(*report.proof, report.proof_inputs);
  return json;
}

}  // namespace coppice
