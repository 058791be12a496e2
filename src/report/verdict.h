// Whether a number became better or worse, and the colour that says so on a terminal. Nothing else
// is ever in colour.
#pragma once

#include <string>

namespace coppice {

enum class Verdict { none, better, worse };

// Of a factor that is better above 1 (times smaller, times faster): none at 1, and where there is
// none.
inline Verdict verdict_of_factor(double factor) {
  if (factor > 1) return Verdict::better;
  return factor > 0 && factor < 1 ? Verdict::worse : Verdict::none;
}

// Green or red, and as it came afterwards.
inline std::string in_colour(const std::string& text, Verdict verdict) {
  if (verdict == Verdict::none) return text;
  return (verdict == Verdict::better ? "\x1b[32m" : "\x1b[31m") + text + "\x1b[0m";
}

}  // namespace coppice
