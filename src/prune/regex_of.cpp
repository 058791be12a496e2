#include "prune/regex_of.h"

#include "core/error.h"

namespace coppice {

std::regex regex_of(const std::string& pattern, const std::string& option) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error& error) {
    fail_usage("'" + pattern + "' is no regular expression: " + error.what(),
               {subject_hint(option)});
  }
}

}  // namespace coppice
