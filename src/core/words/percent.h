// A share for people, within a sentence: 0.9173 is 91.73 %.
#pragma once

#include <cstdio>
#include <string>

namespace coppice {

inline std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f %%", share * 100);
  return text;
}

}  // namespace coppice
