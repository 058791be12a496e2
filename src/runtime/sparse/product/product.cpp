// See product.h.
#include "runtime/sparse/product/product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
// After what it uses.
#include "runtime/sparse/tile_loops.h"

namespace coppice::runtime {
namespace {

// Of all rows: less isn't worth waking another thread, which takes some microseconds.
constexpr int64_t kFewestSteps = 20'000;

// What becomes of a sum, by the loops that convolutions have.
struct OneFloat {
  static constexpr int kLanes = 1;
  using Type = float;
  static float load(const float* p) { return *p; }
  static float all(float a) { return a; }
  static float add(float a, float b) { return a + b; }
  static float mul(float a, float b) { return a * b; }
  static float fma(float a, float b, float c) { return a * b + c; }
  static float max(float a, float b) { return a > b ? a : b; }
  static float min(float a, float b) { return a < b ? a : b; }
};

// The first group of each part, where all have about as many steps.
int64_t first_of_part(std::span<const int64_t> begins, int64_t part, int64_t parts) {
  const int64_t wanted = begins.back() * part / parts;
  return std::ranges::lower_bound(begins, wanted) - begins.begin();
}

}  // namespace

int64_t count_nonzeros(const MatrixView& matrix) {
  const float* const data = matrix.data;
  const int64_t size = matrix.outputs * matrix.inputs;
  return size - std::count(data, data + size, 0.0f);
}

SparseProduct::SparseProduct(const MatrixView& weight, Isa isa)
    : loop_(&lookup_loop_of(isa)),
      outputs_(weight.outputs),
      inputs_(weight.inputs),
      windows_((weight.inputs + loop_->stride - 1) / loop_->stride),
      padded_inputs_(windows_ * loop_->stride + loop_->window - loop_->stride) {
  std::vector<int64_t> nonzeros(static_cast<size_t>(outputs_), 0);
  for (int64_t o = 0; o < outputs_; ++o) {
    for (int64_t i = 0; i < inputs_; ++i) nonzeros[o] += weight.at(o, i) != 0;
  }
  outputs_of_lanes_.resize(static_cast<size_t>(outputs_));
  std::iota(outputs_of_lanes_.begin(), outputs_of_lanes_.end(), 0);
  std::ranges::stable_sort(outputs_of_lanes_,
                           [&](int32_t a, int32_t b) { return nonzeros[a] > nonzeros[b]; });
  const int64_t count = (outputs_ + loop_->lanes - 1) / loop_->lanes;
  outputs_of_lanes_.resize(static_cast<size_t>(count * loop_->lanes), -1);
  for (int64_t group = 0; group < count; ++group) append(weight, group);
}

void SparseProduct::append(const MatrixView& weight, int64_t group) {
  // By lane, the inputs of weights that no step has yet, last ones first.
  std::vector<std::vector<int32_t>> waiting(static_cast<size_t>(loop_->lanes));
  for (size_t lane = 0; lane < waiting.size(); ++lane) {
    const int64_t output = outputs_of_lanes_[group * loop_->lanes + static_cast<int64_t>(lane)];
    if (output < 0) continue;
    for (int64_t i = inputs_ - 1; i >= 0; --i) {
      if (weight.at(output, i) != 0) waiting[lane].push_back(static_cast<int32_t>(i));
    }
  }
  int64_t all = begins_.back();
  for (int64_t w = 0; w < windows_; ++w) all += append_window(weight, group, w, waiting);
  begins_.push_back(all);
}

// As many steps as it takes until nothing waits that the next window hasn't.
int64_t SparseProduct::append_window(const MatrixView& weight, int64_t group, int64_t window,
                                     std::vector<std::vector<int32_t>>& waiting) {
  const int64_t begin = window * loop_->stride;
  const auto count_before = [&](const std::vector<int32_t>& inputs, int64_t end) {
    return std::find_if(inputs.rbegin(), inputs.rend(), [&](int32_t i) { return i >= end; }) -
           inputs.rbegin();
  };
  int64_t steps = 0;
  for (const auto& inputs : waiting) {
    steps = std::max<int64_t>(steps, count_before(inputs, begin + loop_->stride));
  }
  for (int64_t s = 0; s < steps; ++s) {
    for (size_t lane = 0; lane < waiting.size(); ++lane) {
      std::vector<int32_t>& inputs = waiting[lane];
      const bool there = !inputs.empty() && inputs.back() < begin + loop_->window;
      places_.push_back(there ? static_cast<uint8_t>(inputs.back() - begin) : 0);
      const int64_t output = outputs_of_lanes_[group * loop_->lanes + static_cast<int64_t>(lane)];
      weights_.push_back(there ? weight.at(output, inputs.back()) : 0);
      if (there) inputs.pop_back();
    }
  }
  steps_.push_back(static_cast<uint16_t>(steps));
  return steps;
}

size_t SparseProduct::weight_bytes() const {
  return places_.size() + weights_.size() * sizeof(float) + steps_.size() * sizeof(uint16_t);
}

void SparseProduct::run_groups(const Operands& operands, int64_t first, int64_t last) const {
  const int64_t lanes = loop_->lanes;
  std::array<float, kMostLanes> sums{};
  for (int64_t group = first; group < last; ++group) {
    for (int64_t row = 0; row < operands.rows; ++row) {
      loop_->run({.x = operands.scratch + row * padded_inputs_,
                  .places = places_.data() + begins_[group] * lanes,
                  .weights = weights_.data() + begins_[group] * lanes,
                  .steps = steps_.data() + group * windows_,
                  .windows = windows_,
                  .sums = sums.data()});
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t output = outputs_of_lanes_[group * lanes + lane];
        if (output < 0) continue;
        const int64_t at = row * outputs_ + output;
        float sum = sums[lane] + operands.bias[output];
        if (operands.start) sum += operands.start[at];
        for (const Finish& f : operands.finish) sum = finished<OneFloat>(sum, f, at);
        operands.y[at] = sum;
      }
    }
  }
}

void SparseProduct::run(const Operands& operands) const {
  for (int64_t row = 0; row < operands.rows; ++row) {
    float* const padded = operands.scratch + row * padded_inputs_;
    std::copy_n(operands.x + row * inputs_, inputs_, padded);
    std::fill(padded + inputs_, padded + padded_inputs_, 0.0f);
  }
  const bool small = begins_.back() * operands.rows < kFewestSteps;
  const int64_t parts = small ? 1 : operands.threads;
#pragma omp parallel for schedule(static) num_threads(parts) if (parts > 1)
  for (int64_t part = 0; part < parts; ++part) {
    run_groups(operands, first_of_part({begins_.data(), begins_.size() - 1}, part, parts),
               part + 1 == parts
                   ? groups()
                   : first_of_part({begins_.data(), begins_.size() - 1}, part + 1, parts));
  }
}

}  // namespace coppice::runtime
