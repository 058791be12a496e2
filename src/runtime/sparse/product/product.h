// A product of a few rows with a constant matrix that has many zeros, from what isn't zero alone:
// what it takes to read the weights is what it takes in all, so they lie as small as they can.
//
// Outputs come in groups of as many as a vector has lanes, inputs in windows of as many as lie in
// registers together. For each group and window there are steps: one weight a lane, and the place
// in the window, one byte, of the input that it multiplies, which is looked up in the registers.
// Windows overlap by half, so that a lane with few weights in one half goes on with those of the
// next, which would else come later, while a lane with many catches up; a lane that has run out
// waits, and steps have zeros for it. Outputs with as many weights share a group. The weights are
// read once for all rows, a group at a time from the cache.
#pragma once

#include <memory>
#include <vector>

#include "runtime/sparse/product/lookups.h"

namespace coppice::runtime {

// A constant matrix as it lies: element (output, input) at output * output_stride + input *
// input_stride.
struct MatrixView {
  const float* data;
  int64_t outputs, inputs;
  int64_t output_stride, input_stride;

  float at(int64_t output, int64_t input) const {
    return data[output * output_stride + input * input_stride];
  }
};
int64_t count_nonzeros(const MatrixView& matrix);

class SparseProduct {
 public:
  SparseProduct(const MatrixView& weight, Isa isa);

  int64_t scratch_floats(int64_t rows) const { return rows * padded_inputs_; }
  size_t weight_bytes() const;

  struct Operands {
    const float* x;  // [rows, inputs]
    float* y;        // [rows, outputs]
    float* scratch;  // scratch_floats(rows)
    int64_t rows;
    const float* bias;   // [outputs]
    const float* start;  // [rows, outputs], may be y; added before `finish`. Or null
    std::span<const Finish> finish;
    int threads;
  };
  // A sum has one order, whoever computes it.
  void run(const Operands& operands) const;

 private:
  int64_t groups() const { return std::ssize(begins_) - 1; }
  void append(const MatrixView& weight, int64_t group);
  int64_t append_window(const MatrixView& weight, int64_t group, int64_t window,
                        std::vector<std::vector<int32_t>>& waiting);
  void run_groups(const Operands& operands, int64_t first, int64_t last) const;

  const LookupLoop* loop_;
  int64_t outputs_, inputs_, windows_, padded_inputs_;
  std::vector<int32_t> outputs_of_lanes_;  // [groups * lanes]; -1: none
  std::vector<uint16_t> steps_;            // [groups * windows]
  std::vector<int64_t> begins_{0};         // [groups + 1], in steps
  std::vector<uint8_t> places_;            // [steps * lanes]
  std::vector<float> weights_;             // [steps * lanes]
};

}  // namespace coppice::runtime
