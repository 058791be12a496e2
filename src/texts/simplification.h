// What simplifying changed, for people.
#pragma once

#include <string>

#include "tasks/forms/simplify.h"

namespace coppice {

std::string text_of(const SimplifyReport& report);

}  // namespace coppice
