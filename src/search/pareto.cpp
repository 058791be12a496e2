// See pareto.h.
#include "search/pareto.h"

#include <cstddef>

namespace coppice {
namespace {

// Whether a makes b superfluous.
bool beats(const std::vector<double>& a, double a_score, const std::vector<double>& b,
           double b_score, bool a_is_first) {
  bool better = a_score > b_score;
  if (a_score < b_score) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better || a_is_first;
}

}  // namespace

std::vector<char> pareto_front(const std::vector<std::vector<double>>& costs,
                               const std::vector<double>& scores) {
  std::vector<char> front(scores.size(), 1);
  for (size_t b = 0; b < scores.size(); ++b) {
    for (size_t a = 0; a < scores.size() && front[b]; ++a) {
      if (a != b && beats(costs[a], scores[a], costs[b], scores[b], a < b)) front[b] = 0;
    }
  }
  return front;
}

}  // namespace coppice
