// A comparison as a table for people.
#pragma once

#include <string>

#include "tasks/compare/compare.h"
#include "texts/style.h"

namespace coppice {

std::string text_of(const CompareReport& report, const Style& style);

}  // namespace coppice
