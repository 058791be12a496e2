// See docs.h.
#include "coverage/docs.h"

#include <chrono>
#include <cstdio>
#include <sstream>

#include "core/files.h"
#include "coverage/markdown_table.h"
#include "deployed/outputs.h"

namespace coppice {
namespace {

std::string text(const char* format, double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), format, number);
  return buffer;
}

std::string today() {
  const std::chrono::year_month_day date(
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  char buffer[16];
  std::snprintf(buffer, sizeof(buffer), "%04d-%02u-%02u", int(date.year()), unsigned(date.month()),
                unsigned(date.day()));
  return buffer;
}

std::vector<std::string> titles() {
  std::vector<std::string> titles = {"model", "nodes", "operators", "groups", "units",
                                     "share", "left",  "half",      "proof",  "judge"};
  for (const auto& column : Deployments::columns()) titles.emplace_back(column.title);
  for (const char* title : {"Torch-Pruning", "run", "remark"}) titles.emplace_back(title);
  return titles;
}

constexpr char kHead[] = R"(# Coverage

Written by `./dev docs --coverage`, which exports the networks of `tests/exports` first. Random structured cuts of 10, 50
and 90 % of every group, and a cut of the cut model; each is compared with the masked original, by our runtime and by
ONNX Runtime, at batches of 1 and 3 where the batch is open.

- **share**: MACs in layers that can be pruned, in %
- **left**: MACs left once half of every group is gone, in %; **half**: what `--keep-macs 0.5 --round-to 1` leaves, in %
- **proof**, **judge**: the largest difference relative to the largest output, by our runtime and by ONNX Runtime; `-`
  where there is none
- **node**, **web**, **OpenCV**: the model cut to half its MACs with `--for onnxruntime-avx512`, `onnxruntime-web` and `opencv`, run
  in onnxruntime-node 1.30, onnxruntime-web 1.30 (wasm) and OpenCV 4.6 (Debian 12): the largest difference from our runtime's
  outputs, relative to the largest; "refused" or "wrong" where it is not loaded or not right, and whether the uncut model is either,
  too; `-` where nothing was cut or our runtime can't run it; empty in rows that were run before there were these columns
- **Torch-Pruning**: what its MagnitudePruner leaves of the same PyTorch network at a ratio of 0.5 for every group, in %
  of the MACs by its own count, or how it ends. It reads PyTorch modules, so it says nothing about files
- **run**: when. A run writes the rows of the models that it ran (`COPPICE_COVERAGE_ONLY=REGEX`: some), and leaves the others as they are

)";

}  // namespace

Peer read_peer(const std::filesystem::path& file) {
  Peer peer;
  if (!std::filesystem::exists(file)) return peer;
  std::istringstream lines(read_text(file));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name, left, seconds, wrong;
    std::getline(fields, name, '\t');
    std::getline(fields, left, '\t');
    std::getline(fields, seconds, '\t');
    std::getline(fields, wrong);
    peer[name] = left == "-" ? wrong : left;
  }
  return peer;
}

std::vector<std::string> cells(const Row& row, const Peer& peer) {
  const auto error = [](double value) { return value < 0 ? "-" : text("%.0e", value); };
  const auto found = peer.find(row.name);
  std::vector<std::string> cells = {row.name,
                                    std::to_string(row.nodes),
                                    row.operators,
                                    std::to_string(row.groups),
                                    std::to_string(row.units),
                                    text("%.1f", 100 * row.share),
                                    text("%.1f", 100 * row.left),
                                    row.halved < 1 ? text("%.2f", 100 * row.halved) : "-",
                                    error(row.units > 0 ? row.error : -1),
                                    error(row.judged)};
  for (size_t i = 0; i < Deployments::columns().size(); ++i)
    cells.push_back(i < row.deployed.size() ? row.deployed[i].cell(kAcrossRuntimes) : "-");
  for (const std::string& cell :
       {found == peer.end() ? std::string() : found->second, today(), row.remark}) {
    cells.push_back(cell);
  }
  return cells;
}

void write_row(const std::filesystem::path& document, const Row& row, const Peer& peer) {
  MarkdownTable table = MarkdownTable::read(read_text(document));
  table.before = kHead;
  table.arrange(titles());
  table.put(cells(row, peer));
  write_text(document, table.text());
}

}  // namespace coppice
