// Tiles of the upper triangle by oneDNN's product of matrices, mirrored below.

#include "runtime/loops/gram.h"

#include <algorithm>
#include <dnnl.hpp>
#include <utility>
#include <vector>

#include "core/error.h"

namespace coppice {
namespace {

constexpr int64_t kTile = 128;

struct Matrix {
  const float* samples;
  int64_t rows, columns;
};

// Adds the tile at (i, j), j >= i, and its mirror image. `products`: room for a tile.
bool add_tile(const Matrix& m, int64_t i, int64_t j, std::vector<float>& products, double* gram) {
  const int64_t height = std::min(kTile, m.columns - i), width = std::min(kTile, m.columns - j);
  const dnnl_status_t status =
      dnnl_sgemm('T', 'N', height, width, m.rows, 1, m.samples + i, m.columns, m.samples + j,
                 m.columns, 0, products.data(), width);
  for (int64_t r = 0; r < height; ++r) {
    for (int64_t c = 0; c < width; ++c) {
      const double product = products[r * width + c];
      gram[(i + r) * m.columns + j + c] += product;
      if (i != j) gram[(j + c) * m.columns + i + r] += product;
    }
  }
  return status == dnnl_success;
}

}  // namespace

void add_gram(std::span<const float> samples, int64_t rows, int64_t columns,
              std::span<double> gram) {
  COPPICE_CHECK(std::ssize(samples) == rows * columns, "samples of another size");
  COPPICE_CHECK(std::ssize(gram) == columns * columns, "a Gram matrix of another size");
  std::vector<std::pair<int64_t, int64_t>> tiles;
  for (int64_t i = 0; i < columns; i += kTile) {
    for (int64_t j = i; j < columns; j += kTile) tiles.emplace_back(i, j);
  }
  bool done = true;
  for (int64_t r = 0; r < rows; r += kGramRows) {
    const Matrix part{samples.data() + r * columns, std::min(kGramRows, rows - r), columns};
#pragma omp parallel reduction(&& : done)
    {
      std::vector<float> products(kTile * kTile);
#pragma omp for schedule(dynamic)
      for (size_t t = 0; t < tiles.size(); ++t) {
        done = add_tile(part, tiles[t].first, tiles[t].second, products, gram.data()) && done;
      }
    }
  }
  COPPICE_CHECK(done, "oneDNN failed to multiply matrices");
}

}  // namespace coppice
