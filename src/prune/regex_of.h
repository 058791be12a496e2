// Names that a user gives as a regular expression.
#pragma once

#include <regex>
#include <string>

namespace coppice {

// Throws Error::usage for what is none, with `option` as what it was given for.
std::regex regex_of(const std::string& pattern, const std::string& option);

}  // namespace coppice
