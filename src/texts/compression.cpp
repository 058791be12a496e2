#include "texts/compression.h"

#include "report/format.h"
#include "report/table.h"
#include "texts/cut_summary.h"

namespace coppice {
namespace {

constexpr size_t kMostRows = 200;
constexpr Table::Align kRight = Table::Align::right;

std::string share_of(double bits, const TensorReport& tensor) {
  return percentage(bits / (32 * static_cast<double>(tensor.elements)));
}

std::string tensors_of(const CodecReport& report) {
  Table table({{"tensor"},
               {"stored as"},
               {"weights", kRight},
               {"nonzero", kRight},
               {"values", kRight},
               {"bytes", kRight},
               {"entropy", kRight},
               {"paper: P+Q", kRight},
               {"P+Q+H", kRight}});
  for (const TensorReport& tensor : report.tensors) {
    const bool shared = is_shared(tensor);
    table.add({tensor.name, tensor.storage, with_separators(tensor.elements),
               with_separators(tensor.nonzeros),
               tensor.distinct < 0 ? "" : with_separators(tensor.distinct),
               with_separators(tensor.bytes),
               shared ? with_separators(static_cast<int64_t>(tensor.bound_bits / 8)) : "",
               shared ? share_of(tensor.pq_bits, tensor) : "",
               shared ? share_of(tensor.pqh_bits, tensor) : ""});
  }
  return table.text(kMostRows);
}

}  // namespace

std::string text_of(const CompressReport& report) {
  std::string judged;
  if (report.before && report.after) {
    judged = report.judged_by + ": top-1 " + percentage(report.before->top1) + " before, " +
             percentage(report.after->top1) + " with shared weights\n";
  }
  return tensors_of(report.codec) + "\n" + judged + density_line(report.density) +
         "graph: " + with_separators(report.codec.graph_bytes) + " bytes\n" + "wrote " +
         printable(report.output) + ": " + with_separators(report.codec.bytes_before) + " -> " +
         with_separators(report.codec.bytes_after) + " bytes, " + times(report.ratio()) +
         " smaller\n";
}

}  // namespace coppice
