// Sums of outer products, gram += samplesT samples: of float32 rows, added up in double.
#pragma once

#include <cstdint>
#include <span>

namespace coppice {

// `samples`: [rows, columns], row-major. `gram`: [columns, columns], of which both triangles are
// written. Float products are added up over at most kGramRows rows before they go to double; who
// wants all digits hands in numbers around zero. Quadratic in columns; tiles go to the threads that
// OpenMP has now, and each is one thread's, so the same input gives the same bits.
void add_gram(std::span<const float> samples, int64_t rows, int64_t columns,
              std::span<double> gram);
inline constexpr int64_t kGramRows = 2048;

}  // namespace coppice
