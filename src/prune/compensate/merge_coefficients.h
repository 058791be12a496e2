// Channels that leave as sums of those that stay. The header needs Eigen, so only
// evidence and prune include it.
#pragma once

#include <vector>

#include "evidence/moments.h"

namespace coppice {

// alpha: [kept, removed] with a_c ~ sum_k alpha_kc a_k + constant, by least squares. Ties among the
// kept share alike, channels that don't vary get nothing, and directions in which the kept hardly
// vary are damped, so coefficients stay of the size of the deviations' ratios.
Matrix merge_coefficients(const Matrix& covariance, const std::vector<int64_t>& kept,
                          const std::vector<int64_t>& removed);

}  // namespace coppice
