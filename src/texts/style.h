// How a text for people looks where it is shown.
#pragma once

#include <cstddef>
#include <string>

#include "report/verdict.h"

namespace coppice {

struct Style {
  bool bold = false;    // headings, on a terminal
  bool colour = false;  // what became better or worse, on a terminal
  bool hints = true;    // remarks within a result
  size_t width = 0;     // columns of the terminal; 0: any
  std::string strong(const std::string& text) const {
    return bold ? "\x1b[1m" + text + "\x1b[0m" : text;
  }
  std::string judged(const std::string& text, Verdict verdict) const {
    return colour ? in_colour(text, verdict) : text;
  }
  std::string hint(const std::string& text) const { return hints ? text : ""; }
};

}  // namespace coppice
