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

Progress::Progress(const Console& console, std::string doing, std::string unit, int64_t total,
                   int64_t already)
    : console_(console),
      doing_(std::move(doing)),
      unit_(std::move(unit)),
      total_(total),
      already_(already) {}

Progress::~Progress() {
  if (drawn_ && console_.live()) std::fputs(kWipe, stderr);
}

std::string Progress::line(int64_t done, double seconds, const std::string& note) const {
  const double rate = static_cast<double>(done - already_) / seconds;
  const double left = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
  return doing_ + "  " + with_separators(done) + " of " + with_separators(total_) + " " + unit_ +
         (note.empty() ? "" : "  " + note) + "  " + short_count(rate) + " " + unit_ + "/s  ETA " +
         duration(left);
}

void Progress::update(int64_t done, const std::string& note) {
  if (console_.remarks() == Console::Remarks::hidden || done >= total_) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (seconds < next_s_) return;
  next_s_ = seconds + (console_.live() ? kRedraw_s : kLine_s);
  drawn_ = true;
  if (!console_.live()) return console_.remark(line(done, seconds, note));
  const double share = static_cast<double>(done) / static_cast<double>(total_);
  std::fprintf(stderr, "%s%s  %s", kWipe, line(done, seconds, note).c_str(), bar(share).c_str());
}

}  // namespace coppice
