#include "methods/rewrite.h"

#include <charconv>

#include "core/error.h"
#include "graph/infer.h"
#include "graph/passes/fuse_batch_norm.h"
#include "graph/passes/simplify.h"
#include "methods/options/blocks.h"
#include "prune/runtimes/opset.h"
#include "prune/runtimes/runtimes.h"
#include "prune/runtimes/selections.h"

namespace coppice {
namespace {

constexpr int64_t kLowest = 0;
constexpr int64_t kMostOpset = 1000;

std::optional<int64_t> opset_of(const std::string& text) {
  if (text == "lowest") return kLowest;
  int64_t opset = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, opset);
  if (error != std::errc() || stop != end || opset < 1 || opset > kMostOpset) return std::nullopt;
  return opset;
}

enum class Selections { gathers, convolutions };

const FlagOption kFoldBn("fold-bn", "fold BatchNormalization into the layer before, at the end");
const FlagOption kSimplify("simplify", "fold constants and drop idle nodes, at the end");
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

// What is asked for, or what the runtime wants where nothing is said.
struct Form {
  bool simplifies, folds, convolves;
  std::optional<int64_t> opset;

  explicit Form(const Settings& settings)
      : simplifies(settings[kSimplify]), folds(settings[kFoldBn]), opset(settings.given(kOpset)) {
    const Runtime& runtime = *settings[kFor];
    const auto usual = runtime.refuses_gathers ? Selections::convolutions : Selections::gathers;
    convolves = settings.given(kSelections).value_or(usual) == Selections::convolutions;
    if (!opset && runtime.wants_lowest_opset) opset = kLowest;
  }
  bool as_it_came() const { return !simplifies && !folds && !convolves && !opset; }
};

Inferred shapes_of(const Graph& graph) { return infer(graph, fitting_sizes(graph, {})); }

}  // namespace

OptionList rewriting_options() { return {{&kFoldBn}, {&kSimplify}, {&kOpset}, {&kSelections}}; }

void rewrite(Outcome& outcome, const Settings& settings, uint64_t seed) {
  const Form form(settings);
  if (form.as_it_came()) return;
  const Graph before = outcome.graph;
  Graph& graph = outcome.graph;
  if (form.simplifies) simplify(graph);
  if (form.folds) fuse_batch_norms(graph);
  if (form.convolves) selections_to_convolutions(graph, shapes_of(graph));
  if (form.opset) {
    lower_opset(graph, *form.opset == kLowest ? needed_opset(graph).opset : *form.opset);
  }
  outcome.after = costs_of(graph, shapes_of(graph));
  if (!outcome.proof) return;
  const Comparison comparison = compare(before, graph, outcome.proof->comparison.sizes, seed);
  if (comparison.equal()) return;
  throw Error(ErrorKind::internal,
              "--fold-bn, --simplify, --opset or --selections changed the outputs by " +
                  std::to_string(comparison.error) + " of the largest, expected at most " +
                  std::to_string(comparison.allowed()) +
                  "; nothing was written; please report this model");
}

}  // namespace coppice
