#include "texts/simplification.h"

#include "report/format.h"
#include "report/table.h"
#include "texts/cut_summary.h"

namespace coppice {

std::string text_of(const SimplifyReport& report) {
  constexpr Table::Align kRight = Table::Align::right;
  const FormSide &before = report.before, &after = report.after;
  Table table({{""}, {"before", kRight}, {"after", kRight}});
  table.add({"nodes", with_separators(before.nodes), with_separators(after.nodes)});
  table.add({"opset", std::to_string(before.opset), std::to_string(after.opset)});
  table.add({"file", short_bytes(static_cast<double>(before.bytes)),
             short_bytes(static_cast<double>(after.bytes))});
  std::string text = table.text() + "\n";
  if (report.inlined > 0) {
    text += with_separators(report.inlined) + (report.inlined == 1
                                                   ? " call of a function is its nodes now\n"
                                                   : " calls of functions are their nodes now\n");
  }
  text += report.proof ? "proved: " + text_of(*report.proof, report.proof_inputs) + "\n"
                       : "not proved (--verify off)\n";
  return text + "wrote " + printable(report.output) + "\n";
}

}  // namespace coppice
