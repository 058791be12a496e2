// See stream.h.
#include "runtime/sparse/stream.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/error.h"

namespace coppice::runtime {
namespace {

// Blocks may hold this share of zeros that they had to fill in: what they cost is less than what
// rows that run alone lose.
constexpr double kMostFill = 0.25;

struct Matrix {
  const float* data;
  int64_t rows, columns;  // columns: input channels of a group times taps

  const float* row(int64_t r) const { return data + r * columns; }
};

Matrix matrix_of(const Tensor& weight) {
  const int64_t rows = weight.shape()[0];
  return {weight.as<float>().data(), rows, rows ? static_cast<int64_t>(weight.size()) / rows : 0};
}

// Counts without a branch an element and in 32 bits, which the compiler makes vectors of: loading a
// model is mostly looking at zeros.
int64_t nonzeros_in(const float* numbers, int64_t count) {
  constexpr int64_t kPiece = 1 << 20;
  int64_t found = 0;
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const int64_t end = std::min(count, begin + kPiece);
    uint32_t here = 0;
    for (int64_t i = begin; i < end; ++i) here += numbers[i] != 0;
    found += here;
  }
  return found;
}

template <int kTogether>
int64_t blocks_in(const float* rows, int64_t columns) {
  constexpr int64_t kPiece = 1 << 20;
  int64_t found = 0;
  for (int64_t begin = 0; begin < columns; begin += kPiece) {
    const int64_t end = std::min(columns, begin + kPiece);
    uint32_t here = 0;
    for (int64_t i = begin; i < end; ++i) {
      uint32_t any = 0;
      for (int b = 0; b < kTogether; ++b) any |= rows[b * columns + i] != 0;
      here += any;
    }
    found += here;
  }
  return found;
}

// Blocks that `together` rows from `row` on need.
int64_t blocks_of(const Matrix& matrix, int64_t row, int together) {
  return together == 4 ? blocks_in<4>(matrix.row(row), matrix.columns)
                       : blocks_in<2>(matrix.row(row), matrix.columns);
}

int64_t nonzeros_of(const Matrix& matrix, int64_t row, int64_t rows) {
  return nonzeros_in(matrix.row(row), rows * matrix.columns);
}

bool worth_blocks(int64_t nonzeros, int64_t blocks, int together) {
  return static_cast<double>(blocks * together) <= (1 + kMostFill) * static_cast<double>(nonzeros);
}

// Rows from `row` on that are all of one group of the convolution.
bool in_one_group(const Matrix& matrix, int64_t row, int together, int64_t rows_a_group) {
  return row + together <= matrix.rows && row / rows_a_group == (row + together - 1) / rows_a_group;
}

// The rows that make blocks, and those that don't.
std::vector<Stream> share_out(const Matrix& matrix, int together, int64_t rows_a_group) {
  Stream blocks{together, {}, {}, {}}, single{1, {}, {}, {}};
  int64_t row = 0;
  while (row < matrix.rows) {
    const bool block = together > 1 && in_one_group(matrix, row, together, rows_a_group) &&
                       worth_blocks(nonzeros_of(matrix, row, together),
                                    blocks_of(matrix, row, together), together);
    const int taken = block ? together : 1;
    for (int b = 0; b < taken; ++b)
      (block ? blocks : single).rows.push_back(static_cast<int32_t>(row + b));
    row += taken;
  }
  std::vector<Stream> streams;
  for (Stream* stream : {&blocks, &single}) {
    if (!stream->rows.empty()) streams.push_back(std::move(*stream));
  }
  return streams;
}

// Where each column's input is, from the tile's first pixel of the convolution's first channel.
std::vector<float> offsets_of(int64_t channels, const StreamOptions& options) {
  std::vector<float> offsets;
  for (int64_t channel = 0; channel < channels; ++channel) {
    for (const int64_t tap : options.tap_offsets) {
      offsets.push_back(
          std::bit_cast<float>(static_cast<int32_t>(channel * options.channel_bytes + tap)));
    }
  }
  return offsets;
}

// Entries of the `kTogether` rows from `rows` on, in columns [first, last), to `to`, which has room
// for one more; the end of them. Each is written, and the next one goes over it if it was zero.
template <int kTogether>
float* put_entries(const float* rows, int64_t columns, int64_t first, int64_t last,
                   const float* offsets, float* to) {
  for (int64_t column = first; column < last; ++column) {
    bool any = false;
    to[0] = offsets[column];
    for (int b = 0; b < kTogether; ++b) {
      const float weight = rows[b * columns + column];
      to[1 + b] = weight;
      any |= weight != 0;
    }
    to += any ? 1 + kTogether : 0;
  }
  return to;
}

float* put_entries(const Matrix& matrix, int64_t row, int together, std::pair<int64_t, int64_t> of,
                   const float* offsets, float* to) {
  const float* const rows = matrix.row(row);
  const auto [first, last] = of;
  switch (together) {
    case 4: return put_entries<4>(rows, matrix.columns, first, last, offsets, to);
    case 2: return put_entries<2>(rows, matrix.columns, first, last, offsets, to);
    default: return put_entries<1>(rows, matrix.columns, first, last, offsets, to);
  }
}

// Entries of all groups of rows of a stream, and room for one more.
size_t entries_of(const Stream& stream, const Matrix& matrix) {
  int64_t entries = 1;
  for (int64_t group = 0; group < stream.groups(); ++group) {
    const int64_t row = stream.rows[group * stream.rows_together];
    entries += stream.rows_together == 1 ? nonzeros_of(matrix, row, 1)
                                         : blocks_of(matrix, row, stream.rows_together);
  }
  return static_cast<size_t>(entries);
}

}  // namespace

std::vector<Stream> streams_of(const Tensor& weight, const StreamOptions& options) {
  const Matrix matrix = matrix_of(weight);
  const int64_t rows_a_group = matrix.rows / options.groups;
  const int64_t channels = weight.shape()[1];
  const auto taps = static_cast<int64_t>(options.tap_offsets.size());
  const std::vector<float> offsets = offsets_of(channels * options.groups, options);
  std::vector<Stream> streams = share_out(matrix, options.rows_together, rows_a_group);
  for (Stream& stream : streams) {
    const int64_t words = 1 + stream.rows_together;
    stream.entries.resize(entries_of(stream, matrix) * static_cast<size_t>(words));
    float* const start = stream.entries.data();
    float* end = start;
    const auto done = [&] { return static_cast<int32_t>((end - start) / words); };
    for (int64_t first = 0; first < channels; first += options.chunk_channels) {
      const int64_t last = std::min(channels, first + options.chunk_channels);
      std::vector<int32_t>& begins = stream.begins.emplace_back();
      for (int64_t group = 0; group < stream.groups(); ++group) {
        begins.push_back(done());
        const int64_t row = stream.rows[group * stream.rows_together];
        const float* const from = offsets.data() + row / rows_a_group * matrix.columns;
        end =
            put_entries(matrix, row, stream.rows_together, {first * taps, last * taps}, from, end);
      }
      begins.push_back(done());
    }
    stream.entries.resize(static_cast<size_t>(end - start));
  }
  return streams;
}

int rows_together(const Tensor& weight, int64_t groups) {
  const Matrix matrix = matrix_of(weight);
  for (const int together : {4, 2}) {
    if (matrix.rows / groups < together) continue;
    const int64_t rows = matrix.rows / together * together;
    const int64_t nonzeros = nonzeros_of(matrix, 0, rows);
    int64_t blocks = 0;
    // Weights without blocks show it in the first of their rows.
    for (int64_t row = 0; row < rows && worth_blocks(nonzeros, blocks, together); row += together) {
      blocks += blocks_of(matrix, row, together);
    }
    if (nonzeros > 0 && worth_blocks(nonzeros, blocks, together)) return together;
  }
  return 1;
}

int64_t count_nonzeros(const Tensor& weight) {
  const auto values = weight.as<float>();
  return nonzeros_in(values.data(), static_cast<int64_t>(values.size()));
}

}  // namespace coppice::runtime
