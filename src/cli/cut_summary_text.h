// What a cut or a training changed, for people.
#pragma once

#include <string>

#include "cli/console.h"
#include "tasks/parts/cut_summary.h"

namespace coppice {

void print(const CutSummary& summary, const Console& console);
// How sparse a result is, in one line; empty where it isn't notable.
std::string density_line(const DensityChange& change);

}  // namespace coppice
