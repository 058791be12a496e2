// Which of several things aren't worse than another in every respect.
#pragma once

#include <vector>

namespace coppice {

// By point: whether no other has a cost that is no larger in any respect, and a score that is no
// smaller, with one of them better; of equal points the first counts. `costs`: by point, each as
// long as the others.
std::vector<char> pareto_front(const std::vector<std::vector<double>>& costs,
                               const std::vector<double>& scores);

}  // namespace coppice
