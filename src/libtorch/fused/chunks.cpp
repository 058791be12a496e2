// See chunks.h.
#include "libtorch/fused/chunks.h"

#include <algorithm>

#include "libtorch/loops/channels.h"
#include "libtorch/torch.h"

namespace coppice::train {
namespace {

constexpr int64_t kNumbersOfChunk = 16 * 1024;
constexpr int64_t kRowsOfChunk = 64;  // at least, so that adding up the chunks costs little

}  // namespace

Chunks::Chunks(const at::Tensor& x)
    : channels_(x.size(1)), period_(period_of(channels_)), numbers_(x.numel()) {
  const int64_t wanted = std::max(kNumbersOfChunk, kRowsOfChunk * channels_);
  size_ = period_ * ((wanted + period_ - 1) / period_);
}

double Chunks::rows_of(int64_t index) const {
  return static_cast<double>(std::min(size_, numbers_ - index * size_) / channels_);
}

void Chunks::each(const std::function<void(const Chunk&)>& work) const {
  at::parallel_for(0, number(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      work({i, i * size_, std::min(size_, numbers_ - i * size_)});
    }
  });
}

// Each chunk's own moments, then those of all: sums of squares about a far mean would lose digits.
Moments moments_of(const float* x, const Chunks& chunks) {
  std::vector<std::vector<double>> means(chunks.number()), squares(chunks.number());
  chunks.each([&](const Chunk& chunk) {
    std::vector<float> sums(chunks.period(), 0);
    add_numbers(x + chunk.begin, chunk.count, sums);
    std::vector<double>& mean = means[chunk.index] = folded(sums, chunks.channels());
    for (double& m : mean) m = static_cast<float>(m / chunks.rows_of(chunk.index));
    std::ranges::fill(sums, 0);
    add_squares(x + chunk.begin, chunk.count, repeated(mean, chunks.period()).data(), sums);
    squares[chunk.index] = folded(sums, chunks.channels());
  });
  Moments all{std::vector<double>(chunks.channels(), 0), std::vector<double>(chunks.channels(), 0)};
  for (int64_t i = 0; i < chunks.number(); ++i) {
    for (int64_t c = 0; c < chunks.channels(); ++c) {
      all.mean[c] += means[i][c] * chunks.rows_of(i) / chunks.rows();
    }
  }
  for (int64_t i = 0; i < chunks.number(); ++i) {
    for (int64_t c = 0; c < chunks.channels(); ++c) {
      const double off = means[i][c] - all.mean[c];
      all.variance[c] += (squares[i][c] + off * off * chunks.rows_of(i)) / chunks.rows();
    }
  }
  return all;
}

}  // namespace coppice::train
