// See progress.h.
#include "cli/progress.h"

#include <cstdio>

#include "report/format.h"

namespace coppice {
namespace {

constexpr double kRedraw_s = 0.1, kLine_s = 10;
constexpr char kWipe[] = "\r\x1b[K";

std::string bar(double share) {
  constexpr int kWidth = 24;
  const int full = static_cast<int>(share * kWidth);
  return "[" + std::string(full, '#') + std::string(kWidth - full, '.') + "]";
}

}  // namespace

ProgressBar::ProgressBar(const Console& console, const Progress& first)
    : console_(console), doing_(first.doing), total_(first.total), already_(first.done) {}

ProgressBar::~ProgressBar() {
  if (drawn_ && console_.live()) std::fputs(kWipe, stderr);
}

bool ProgressBar::is_of(const Progress& progress) const {
  return progress.doing == doing_ && progress.total == total_;
}

std::string ProgressBar::line(const Progress& progress, double seconds) const {
  const double rate = static_cast<double>(progress.done - already_) / seconds;
  const double left = rate > 0 ? static_cast<double>(total_ - progress.done) / rate : 0;
  return doing_ + "  " + with_separators(progress.done) + " of " + with_separators(total_) + " " +
         progress.unit + (progress.note.empty() ? "" : "  " + progress.note) + "  " +
         short_count(rate) + " " + progress.unit + "/s  ETA " + duration(left);
}

void ProgressBar::update(const Progress& progress) {
  if (console_.remarks() == Console::Remarks::hidden || progress.done >= total_) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (seconds < next_s_) return;
  next_s_ = seconds + (console_.live() ? kRedraw_s : kLine_s);
  drawn_ = true;
  if (!console_.live()) return console_.remark(line(progress, seconds));
  const double share = static_cast<double>(progress.done) / static_cast<double>(total_);
  std::fprintf(stderr, "%s%s  %s", kWipe, line(progress, seconds).c_str(), bar(share).c_str());
}

}  // namespace coppice
