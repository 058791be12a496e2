// For tests: every reduction as a plain loop over whole values, which defines what is asked for.
// `values`: the same value of batch after batch, row-major; `gradients`: those of each batch's
// loss, the mean over its images.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/tensor.h"
#include "evidence/measured/positions.h"
#include "evidence/requests.h"
#include "graph/ops/ops.h"

namespace coppice::plain {

using Values = std::vector<Tensor>;

// Element (o, c, i) of the value as [outer, channels, inner].
struct Cube {
  std::span<const float> data;
  int64_t outer = 1, channels, inner = 1;
  Cube(const Tensor& value, int64_t axis) : data(value.as<float>()), channels(value.shape()[axis]) {
    for (int64_t i = 0; i < axis; ++i) outer *= value.shape()[i];
    for (int64_t i = axis + 1; i < value.rank(); ++i) inner *= value.shape()[i];
  }
  double at(int64_t o, int64_t c, int64_t i) const { return data[(o * channels + c) * inner + i]; }
};

// The mean over all elements of f(a_ci, a_di), for each pair of channels (c, d), or for c = d.
template <typename F>
double mean_of(const Values& values, int64_t axis, int64_t c, int64_t d, F f) {
  double sum = 0, count = 0;
  for (const Tensor& value : values) {
    const Cube cube(value, axis);
    for (int64_t o = 0; o < cube.outer; ++o) {
      for (int64_t i = 0; i < cube.inner; ++i, ++count)
        sum += f(cube.at(o, c, i), cube.at(o, d, i));
    }
  }
  return sum / count;
}

inline std::vector<double> sums(const Values& values, const EvidenceRequest& request) {
  const int64_t axis = request.axis, channels = values[0].shape()[axis];
  std::vector<double> answer;
  for (int64_t c = 0; c < channels; ++c) {
    const auto mean = [&](auto f) { return mean_of(values, axis, c, c, f); };
    const double centre = mean([](double a, double) { return a; });
    double largest = 0;
    switch (request.reduction) {
      case Reduction::mean: answer.push_back(centre); break;
      case Reduction::variance:
        answer.push_back(mean([&](double a, double) { return (a - centre) * (a - centre); }));
        break;
      case Reduction::mean_absolute:
        answer.push_back(mean([](double a, double) { return std::fabs(a); }));
        break;
      case Reduction::zero_share:
        answer.push_back(mean([](double a, double) { return a == 0 ? 1.0 : 0.0; }));
        break;
      default:
        mean([&](double a, double) { return largest = std::max(largest, std::fabs(a)); });
        answer.push_back(largest);
    }
  }
  return answer;
}

inline std::vector<double> covariance(const Values& values, const EvidenceRequest& request) {
  const int64_t axis = request.axis, channels = values[0].shape()[axis];
  std::vector<double> means, answer;
  for (int64_t c = 0; c < channels; ++c) {
    means.push_back(mean_of(values, axis, c, c, [](double a, double) { return a; }));
  }
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t d = 0; d < channels; ++d) {
      answer.push_back(mean_of(
          values, axis, c, d, [&](double a, double b) { return (a - means[c]) * (b - means[d]); }));
    }
  }
  return answer;
}

inline std::vector<double> pooled(const Values& values, const EvidenceRequest& request) {
  std::vector<double> answer;
  for (const Tensor& value : values) {
    const Cube cube(value, request.axis);
    const int64_t rows = cube.outer / value.shape()[0];
    for (int64_t n = 0; n < value.shape()[0]; ++n) {
      for (int64_t c = 0; c < cube.channels; ++c) {
        double sum = 0;
        for (int64_t o = n * rows; o < (n + 1) * rows; ++o) {
          for (int64_t i = 0; i < cube.inner; ++i) sum += cube.at(o, c, i);
        }
        answer.push_back(sum / static_cast<double>(rows * cube.inner));
      }
    }
  }
  return answer;
}

inline std::vector<double> samples(const Values& values, const EvidenceRequest& request) {
  std::vector<double> answer;
  int64_t image = 0;
  for (const Tensor& value : values) {
    const Cube cube(value, request.axis);
    const int64_t rows = cube.outer / value.shape()[0];
    for (int64_t n = 0; n < value.shape()[0]; ++n, ++image) {
      for (const int64_t p :
           sampled_positions(request.seed, image, rows * cube.inner, request.points)) {
        for (int64_t c = 0; c < cube.channels; ++c) {
          answer.push_back(cube.at(n * rows + p / cube.inner, c, p % cube.inner));
        }
      }
    }
  }
  return answer;
}

// `inputs`: what the Conv reads, two spatial axes.
inline std::vector<double> patches(const Values& inputs, const EvidenceRequest& request,
                                   const Window& w) {
  std::vector<double> answer;
  int64_t image = 0;
  for (const Tensor& input : inputs) {
    const Cube cube(input, 1);
    const Shape& shape = input.shape();
    const Shape out = window_output(w, {shape[2], shape[3]}, false);
    for (int64_t n = 0; n < shape[0]; ++n, ++image) {
      for (const int64_t p :
           sampled_positions(request.seed, image, out[0] * out[1], request.points)) {
        for (int64_t c = 0; c < shape[1]; ++c) {
          for (int64_t i = 0; i < w.kernel[0]; ++i) {
            for (int64_t j = 0; j < w.kernel[1]; ++j) {
              const int64_t y = p / out[1] * w.strides[0] - w.begin[0] + i * w.dilations[0];
              const int64_t x = p % out[1] * w.strides[1] - w.begin[1] + j * w.dilations[1];
              const bool inside = y >= 0 && y < shape[2] && x >= 0 && x < shape[3];
              answer.push_back(inside ? cube.at(n, c, y * shape[3] + x) : 0);
            }
          }
        }
      }
    }
  }
  return answer;
}

// Also of mean_gate_gradients and batch_gate_gradients.
inline std::vector<double> gate_gradients(const Values& values, const Values& gradients,
                                          const EvidenceRequest& request) {
  std::vector<double> answer;
  for (size_t b = 0; b < values.size(); ++b) {
    const Cube a(values[b], request.axis), g(gradients[b], request.axis);
    const int64_t images = values[b].shape()[0], rows = a.outer / images;
    const bool mean = request.reduction == Reduction::mean_gate_gradients;
    const auto share = static_cast<double>(mean ? rows * a.inner : 1);
    const size_t first = answer.size();
    for (int64_t n = 0; n < images; ++n) {
      for (int64_t c = 0; c < a.channels; ++c) {
        double sum = 0;
        for (int64_t o = n * rows; o < (n + 1) * rows; ++o) {
          for (int64_t i = 0; i < a.inner; ++i)
            sum += a.at(o, c, i) * g.at(o, c, i) * static_cast<double>(images);
        }
        answer.push_back(sum / share);
      }
    }
    if (request.reduction != Reduction::batch_gate_gradients) continue;
    for (int64_t c = 0; c < a.channels; ++c) {
      double sum = 0;
      for (int64_t n = 0; n < images; ++n) sum += answer[first + n * a.channels + c];
      answer[first + c] = sum / static_cast<double>(images);
    }
    answer.resize(first + a.channels);
  }
  return answer;
}

inline std::vector<double> scale_saliency(const Values& scales, const Values& scale_gradients,
                                          const Values& shifts, const Values& shift_gradients) {
  std::vector<double> answer(scales[0].size(), 0);
  for (size_t b = 0; b < scales.size(); ++b) {
    for (size_t c = 0; c < answer.size(); ++c) {
      const auto product = [&](const Values& values, const Values& gradients) {
        return double{values[b].as<float>()[c]} * gradients[b].as<float>()[c];
      };
      const double gate = product(scales, scale_gradients) + product(shifts, shift_gradients);
      answer[c] += gate * gate / static_cast<double>(scales.size());
    }
  }
  return answer;
}

// `images`: of each batch.
inline std::vector<double> weight_gradients(const Values& gradients,
                                            const std::vector<int64_t>& images) {
  std::vector<double> answer(gradients[0].size(), 0);
  double all = 0;
  for (const int64_t count : images) all += static_cast<double>(count);
  for (size_t b = 0; b < gradients.size(); ++b) {
    for (size_t i = 0; i < answer.size(); ++i)
      answer[i] += static_cast<double>(images[b]) / all * gradients[b].as<float>()[i];
  }
  return answer;
}

inline std::vector<double> reduce(const Values& values, const EvidenceRequest& request) {
  switch (request.reduction) {
    case Reduction::covariance: return covariance(values, request);
    case Reduction::pooled: return pooled(values, request);
    case Reduction::samples: return samples(values, request);
    default: return sums(values, request);
  }
}

}  // namespace coppice::plain
