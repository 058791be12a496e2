#include "texts/comparison.h"

#include "report/format.h"
#include "texts/run_table.h"

namespace coppice {
std::string text_of(const CompareReport& report, const Style& style) {
  return style.strong(printable(report.model)) + " compared over " +
         with_separators(report.repeat) + (report.repeat == 1 ? " seed" : " seeds") + "\n\n" +
         run_table(report.original, report.rows, report.judged_by);
}

}  // namespace coppice
