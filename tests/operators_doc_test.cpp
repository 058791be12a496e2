// docs/operators.md is what the operator table says, no more and no less. COPPICE_WRITE_DOCS=1
// (that is what './dev docs' sets) writes the file anew instead of comparing.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "graph/op.h"
#include "libtorch/lower/lower.h"
#include "runtime/kernels/steps.h"
#include "runtime/reference.h"

namespace coppice {
namespace {

const std::filesystem::path kPath = std::filesystem::path(COPPICE_SOURCE_DIR) / "docs/operators.md";

constexpr char kHead[] =
    "# Operators\n\n"
    "Written by `./dev docs` from the operator table; a test compares. Opsets 7 and up.\n\n"
    "- **shapes**: what it gives is known before it runs, or at least how many axes; where it "
    "isn't, "
    "the file's value_info is believed\n"
    "- **channels**: has a channel rule; an operator without one, or one that isn't listed, pins "
    "what "
    "it touches, and `coppice inspect` says so\n"
    "- **MACs**: counts in multiply-accumulates\n"
    "- **repair**: has attributes or inputs that hold sizes, which are rewritten after a cut\n"
    "- **folds**: is evaluated on constants, so shape arithmetic through it is followed\n"
    "- **runs**: `fast` has an oneDNN or vectorised step; `plain` runs by its reference loop "
    "only\n"
    "- **trains**: gradients flow through it in `train` and `prune --epochs`\n\n"
    "| operator | shapes | channels | MACs | repair | folds | runs | trains |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n";

std::string runs(const OpDef& op) {
  Graph graph;
  Node node;
  node.op = &op;
  node.op_type = op.type;
  node.domain = op.domain;
  if (runtime::find_lowering(node)) return "fast";
  try {
    require_runnable(graph, node);
    return "plain";
  } catch (const Error&) {
    return "-";
  }
}

bool trains(const OpDef& op) {
  Node node;
  node.op_type = op.type;
  node.domain = op.domain;
  return train::find_lower(node) != nullptr;
}

std::string table() {
  std::vector<const OpDef*> sorted(operators().begin(), operators().end());
  const auto name_of = [](const OpDef* op) {
    const std::string domain = op->domain;
    return (domain.empty() ? "" : domain + ".") + op->type;
  };
  std::ranges::sort(sorted, {}, [&](const OpDef* op) { return name_of(op); });
  const auto mark = [](bool has) { return has ? "yes" : "-"; };
  std::string text = kHead;
  for (const OpDef* op : sorted) {
    text += "| " + name_of(op) + " | " + mark(op->infer) + " | " + mark(op->relate) + " | " +
            mark(op->macs) + " | " + mark(op->repair) + " | " + mark(op->evaluate) + " | " +
            runs(*op) + " | " + mark(trains(*op)) + " |\n";
  }
  return text;
}

TEST(OperatorsDoc, is_what_the_operator_table_says) {
  if (std::getenv("COPPICE_WRITE_DOCS")) write_text(kPath, table());
  EXPECT_EQ(read_text(kPath), table()) << "run './dev docs'";
}

TEST(OperatorsDoc, every_operator_with_a_channel_rule_can_be_run) {
  for (const OpDef* op : operators()) {
    if (op->relate) {
      EXPECT_NE(runs(*op), "-") << op->type;
    }
  }
}

}  // namespace
}  // namespace coppice
