// See stream.h.
#include "runtime/sparse/stream.h"

#include <algorithm>
#include <bit>

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

bool any(const Matrix& matrix, int64_t row, int together, int64_t column) {
  for (int b = 0; b < together; ++b) {
    if (matrix.row(row + b)[column] != 0) return true;
  }
  return false;
}

// Blocks that `together` rows from `row` on need.
int64_t blocks_of(const Matrix& matrix, int64_t row, int together) {
  int64_t blocks = 0;
  for (int64_t i = 0; i < matrix.columns; ++i) blocks += any(matrix, row, together, i);
  return blocks;
}

int64_t nonzeros_of(const Matrix& matrix, int64_t row, int together) {
  const float* const first = matrix.row(row);
  return together * matrix.columns - std::count(first, first + together * matrix.columns, 0.0f);
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

// Entries of one group of rows for input channels [first, last) of its group of the convolution.
void append(Stream& stream, const Matrix& matrix, int64_t group, int64_t first, int64_t last,
            int64_t channel_shift, const StreamOptions& options) {
  const auto taps = static_cast<int64_t>(options.tap_offsets.size());
  const int64_t row = stream.rows[group * stream.rows_together];
  for (int64_t channel = first; channel < last; ++channel) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t column = channel * taps + tap;
      if (!any(matrix, row, stream.rows_together, column)) continue;
      const int64_t offset =
          (channel + channel_shift) * options.channel_bytes + options.tap_offsets[tap];
      stream.entries.push_back(std::bit_cast<float>(static_cast<int32_t>(offset)));
      for (int b = 0; b < stream.rows_together; ++b) {
        stream.entries.push_back(matrix.row(row + b)[column]);
      }
    }
  }
}

}  // namespace

std::vector<Stream> streams_of(const Tensor& weight, const StreamOptions& options) {
  const Matrix matrix = matrix_of(weight);
  const int64_t rows_a_group = matrix.rows / options.groups;
  const int64_t channels = weight.shape()[1];
  std::vector<Stream> streams = share_out(matrix, options.rows_together, rows_a_group);
  for (Stream& stream : streams) {
    const int64_t words = 1 + stream.rows_together;
    for (int64_t first = 0; first < channels; first += options.chunk_channels) {
      const int64_t last = std::min(channels, first + options.chunk_channels);
      std::vector<int32_t>& begins = stream.begins.emplace_back();
      for (int64_t group = 0; group < stream.groups(); ++group) {
        begins.push_back(static_cast<int32_t>(static_cast<int64_t>(stream.entries.size()) / words));
        const int64_t of = stream.rows[group * stream.rows_together] / rows_a_group;
        append(stream, matrix, group, first, last, of * channels, options);
      }
      begins.push_back(static_cast<int32_t>(static_cast<int64_t>(stream.entries.size()) / words));
    }
  }
  return streams;
}

int rows_together(const Tensor& weight, int64_t groups) {
  const Matrix matrix = matrix_of(weight);
  for (const int together : {4, 2}) {
    const int64_t rows_a_group = matrix.rows / groups;
    if (rows_a_group < together) continue;
    int64_t blocks = 0, nonzeros = 0;
    for (int64_t row = 0; row < matrix.rows;) {
      const bool fits = in_one_group(matrix, row, together, rows_a_group);
      if (fits) {
        blocks += blocks_of(matrix, row, together);
        nonzeros += nonzeros_of(matrix, row, together);
      }
      row += fits ? together : 1;
    }
    if (nonzeros > 0 && worth_blocks(nonzeros, blocks, together)) return together;
  }
  return 1;
}

int64_t count_nonzeros(const Tensor& weight) {
  const auto values = weight.as<float>();
  return static_cast<int64_t>(values.size()) - std::count(values.begin(), values.end(), 0.0f);
}

}  // namespace coppice::runtime
