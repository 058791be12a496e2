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
      windows_((weight.inputs + loop_->window - 1) / loop_->window),
      padded_inputs_(windows_ * loop_->window) {
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
  const int64_t lanes = loop_->lanes, window = loop_->window;
  std::vector<std::vector<uint8_t>> places(static_cast<size_t>(lanes));
  int64_t all = begins_.back();
  for (int64_t w = 0; w < windows_; ++w) {
    size_t most = 0;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      places[lane].clear();
      const int64_t output = outputs_of_lanes_[group * lanes + lane];
      if (output < 0) continue;
      for (int64_t i = 0; i < std::min(window, inputs_ - w * window); ++i) {
        if (weight.at(output, w * window + i) != 0) {
          places[lane].push_back(static_cast<uint8_t>(i));
        }
      }
      most = std::max(most, places[lane].size());
    }
    for (size_t s = 0; s < most; ++s) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const bool there = s < places[lane].size();
        const uint8_t place = there ? places[lane][s] : 0;
        places_.push_back(place);
        weights_.push_back(
            there ? weight.at(outputs_of_lanes_[group * lanes + lane], w * window + place) : 0);
      }
    }
    steps_.push_back(static_cast<uint16_t>(most));
    all += static_cast<int64_t>(most);
  }
  begins_.push_back(all);
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
