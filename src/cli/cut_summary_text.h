// What a cut changed, for people.
#pragma once

#include "cli/console.h"
#include "tasks/cut_summary.h"

namespace coppice {

void print(const CutSummary& summary, const Console& console);

}  // namespace coppice
