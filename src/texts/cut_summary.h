// What a cut or a training changed, for people.
#pragma once

#include <string>

#include "tasks/parts/cut_summary.h"
#include "texts/style.h"

namespace coppice {

// What a proof found, on inputs such as "2x3x32x32".
std::string text_of(const Proof& proof, const std::string& inputs);
std::string text_of(const CutSummary& summary, const Style& style);
// What becomes of weights that came in half precision; empty for none.
std::string stored_line(const std::string& stored);
// How sparse a result is, in one line; empty where it isn't notable.
std::string density_line(const DensityChange& change);

}  // namespace coppice
