// What losing units costs, as a table for people.
#pragma once

#include <string>
#include <vector>

#include "tasks/sensitivity/sensitivity.h"

namespace coppice {

// Curves at the ratios that were asked for; or what each criterion has to do with the oracle.
std::string text_of(const SensitivityReport& report, const std::vector<double>& ratios);

}  // namespace coppice
