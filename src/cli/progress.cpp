// See progress.h.
#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "report/format.h"
#include "report/layout.h"

namespace coppice {
namespace {

constexpr double kRedraw_s = 0.1, kLine_s = 10;
constexpr size_t kUsualColumns = 80, kLeastColumns = 10;
constexpr char kWipe[] = "\r\x1b[K";

std::string bar(double share) {
  constexpr int kWidth = 24;
  const int full = static_cast<int>(share * kWidth);
  return "[" + std::string(full, '#') + std::string(kWidth - full, '.') + "]";
}

// As many of the fields as fit into one line, from the left; the first at any rate. 0: all.
std::string fitted(const std::vector<std::string>& fields, size_t width) {
  std::string line =
      width > 0 ? shortened(fields.front(), std::max(width, kLeastColumns)) : fields.front();
  for (size_t i = 1; i < fields.size(); ++i) {
    if (width > 0 && columns_of(line) + 2 + columns_of(fields[i]) > width) break;
    line += "  " + fields[i];
  }
  return line;
}

}  // namespace

ProgressBar::ProgressBar(const Console& console, const Progress& first)
    : console_(console), doing_(first.doing), total_(first.total), already_(first.done) {}

ProgressBar::~ProgressBar() { wipe(); }

bool ProgressBar::is_of(const Progress& progress) const {
  return progress.doing == doing_ && progress.total == total_;
}

std::string ProgressBar::line(const Progress& progress, double seconds, size_t width) const {
  const double rate = static_cast<double>(progress.done - already_) / seconds;
  const double left = rate > 0 ? static_cast<double>(total_ - progress.done) / rate : 0;
  const double share = static_cast<double>(progress.done) / static_cast<double>(total_);
  std::vector<std::string> fields = {
      doing_,
      with_separators(progress.done) + " of " + with_separators(total_) + " " + progress.unit,
      "ETA " + duration(left)};
  for (size_t begin = 0, end; begin < progress.note.size(); begin = end + 2) {
    end = std::min(progress.note.find("  ", begin), progress.note.size());
    fields.push_back(progress.note.substr(begin, end - begin));
  }
  fields.push_back(short_count(rate) + " " + progress.unit + "/s");
  if (width > 0) fields.push_back(bar(share));
  return fitted(fields, width);
}

void ProgressBar::update(const Progress& progress) {
  if (console_.remarks() == Console::Remarks::hidden || progress.done >= total_) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (seconds < next_s_) return;
  next_s_ = seconds + (console_.live() ? kRedraw_s : kLine_s);
  if (!console_.live()) return console_.remark(line(progress, seconds, 0));
  drawn_ = true;
  const size_t columns = terminal_columns(STDERR_FILENO);
  const size_t width = (columns > 0 ? columns : kUsualColumns) - 1;  // in the last one some wrap
  std::fprintf(stderr, "%s%s", kWipe, line(progress, seconds, width).c_str());
}

void ProgressBar::wipe() {
  if (std::exchange(drawn_, false)) std::fputs(kWipe, stderr);
}

}  // namespace coppice
