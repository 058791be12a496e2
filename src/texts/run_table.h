// Runs of methods and controls beside each other, as text.
#pragma once

#include <string>
#include <vector>

#include "tasks/runs/figures.h"

namespace coppice {

// `original`: figures_of_original, or null.
std::string run_table(const Json& original, const std::vector<RunRow>& rows,
                      const std::string& judged_by);

}  // namespace coppice
