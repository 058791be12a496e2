// See max_drop.h.
#include "texts/max_drop.h"

#include <algorithm>

#include "report/format.h"
#include "report/table.h"

namespace coppice {

std::string text_of(const MaxDropReport& report) {
  constexpr Table::Align kRight = Table::Align::right;
  std::vector<TriedBudget> tried = report.tried;
  std::ranges::stable_sort(tried, std::ranges::greater(), &TriedBudget::kept);
  Table table({{"MACs asked", kRight}, {"top-1, held out", kRight}, {""}});
  table.add({percentage(1), percentage(report.original), "the original"});
  for (const TriedBudget& budget : tried) {
    table.add({percentage(budget.kept), budget.top1 ? percentage(*budget.top1) : "-",
               budget.keeps ? "" : "too much is lost"});
  }
  return table.text();
}

}  // namespace coppice
