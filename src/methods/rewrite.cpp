#include "methods/rewrite.h"

#include <charconv>

#include "core/error.h"
#include "graph/infer.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/simplify/simplify.h"
#include "methods/options/blocks.h"
#include "methods/unstructured/reorder.h"
#include "onnx/onnx.h"
#include "prune/runtimes/bounds.h"
#include "prune/runtimes/opset.h"
#include "prune/runtimes/runtimes.h"
#include "prune/runtimes/selections.h"
#include "prune/runtimes/splits.h"
#include "prune/runtimes/unsaid.h"

namespace coppice {
namespace {

constexpr int64_t kMostOpset = 1000;

std::optional<int64_t> opset_of(const std::string& text) {
  if (text == "lowest") return kLowestOpset;
  int64_t opset = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, opset);
  if (error != std::errc() || stop != end || opset < 1 || opset > kMostOpset) return std::nullopt;
  return opset;
}

enum class Selections { gathers, convolutions };

const FlagOption kFoldBn("fold-bn", "fold BatchNormalization into the layer before, at the end");
const FlagOption kSimplify(
    "simplify",
    "put functions' nodes in their place, fold constants and drop idle nodes, at the end; implied "
    "by --for opencv and any");
const TextOption<int64_t> kOpset({"opset", "lowest|N",
                                  "write the model in this opset, or in the lowest that its "
                                  "operators need, from 13 up",
                                  "as it came; the lowest with --for opencv or any"},
                                 "lowest or an opset, such as 13", opset_of);
const ChoiceOption<Selections> kSelections(
    {"selections", "FORM",
     "how channels that a layer picks from a stream are written: gathers, or convolutions of zeros "
     "and ones, which OpenCV 4.6 loads, too",
     "gathers; convolutions with --for opencv or any"},
    {{"gathers", Selections::gathers}, {"convolutions", Selections::convolutions}});

Inferred shapes_of(const Graph& graph) { return infer(graph, fitting_sizes(graph, {})); }

}  // namespace

Form::Form(const Settings& settings) : folds(settings[kFoldBn]), opset(settings.given(kOpset)) {
  const Runtime& runtime = *settings[kFor];
  for_old_importer = runtime.old_importer;
  simplifies = settings[kSimplify] || for_old_importer;
  const auto usual = runtime.old_importer ? Selections::convolutions : Selections::gathers;
  convolves = settings.given(kSelections).value_or(usual) == Selections::convolutions;
  if (!opset && runtime.wants_lowest_opset) opset = kLowestOpset;
}

OptionList form_options() { return {{&kFoldBn}, {&kOpset}, {&kSelections}}; }

OptionList rewriting_options() { return {{&kFoldBn}, {&kSimplify}, {&kOpset}, {&kSelections}}; }

int64_t rewrite(Graph& graph, const Form& form) {
  int64_t inlined = 0;
  if (form.simplifies) {
    inlined = inline_functions(graph);
    simplify(graph);
  }
  if (form.folds) fuse_batch_norms(graph);
  if (form.convolves) selections_to_convolutions(graph, shapes_of(graph));
  if (form.for_old_importer) {
    uneven_splits_to_slices(graph, shapes_of(graph));
    clips_to_relus(graph);
    say_unsaid(graph);
  }
  if (form.opset) lower_opset(graph, *form.opset > 0 ? *form.opset : needed_opset(graph).opset);
  return inlined;
}

void rewrite(Outcome& outcome, const Settings& settings, uint64_t seed) {
  const bool proves = !has_option(settings.options(), kVerify) || settings[kVerify] == Verify::on;
  reorder(outcome, proves ? Verify::on : Verify::off, seed);
  const Form form(settings);
  if (form.as_it_came()) return;
  const Graph before = outcome.graph;
  rewrite(outcome.graph, form);
  outcome.after = costs_of(outcome.graph, shapes_of(outcome.graph));
  if (!outcome.proof) return;
  require_same(before, outcome.graph, outcome.proof->comparison.sizes,
               "--fold-bn, --simplify, --opset, --selections or --for", seed);
}

}  // namespace coppice
