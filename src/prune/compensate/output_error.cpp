#include "prune/compensate/output_error.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/attempt.h"
#include "core/error.h"
#include "graph/infer.h"
#include "graph/is_onnx.h"

namespace coppice {
namespace {

constexpr int64_t kPoints = 64;              // of an image and output
constexpr double kLeastProbability = 1e-30;  // of a Softmax that has rounded one to 0

// log p of one image.
void to_log_probabilities(std::span<const float> scores, bool softmax, std::vector<double>& log) {
  log.resize(scores.size());
  double sum = 0, most = -std::numeric_limits<double>::infinity();
  for (const float s : scores) most = std::max(most, double{s});
  for (size_t c = 0; c < scores.size(); ++c) {
    log[c] = softmax ? std::log(std::max(double{scores[c]}, kLeastProbability)) : scores[c] - most;
    sum += std::exp(log[c]);
  }
  for (double& l : log) l -= std::log(sum);
}

double divergence(const Tensor& original, const Tensor& now, bool softmax) {
  const int64_t classes = original.shape()[1], rows = original.shape()[0];
  std::vector<double> p, q;
  double sum = 0;
  for (int64_t r = 0; r < rows; ++r) {
    to_log_probabilities(original.as<float>().subspan(r * classes, classes), softmax, p);
    to_log_probabilities(now.as<float>().subspan(r * classes, classes), softmax, q);
    for (int64_t c = 0; c < classes; ++c) sum += std::exp(p[c]) * (p[c] - q[c]);
  }
  return sum / static_cast<double>(rows);
}

double squared_error(const Tensor& original, const Tensor& now) {
  const int64_t channels = original.shape()[1], rows = original.shape()[0];
  const auto a = original.as<float>(), b = now.as<float>();
  double error = 0, all = 0;
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (int64_t r = 0; r < rows; ++r) {
      const double x = a[r * channels + c], off = x - b[r * channels + c];
      sum += x;
      squares += x * x;
      error += off * off;
    }
    all += squares - sum * sum / static_cast<double>(rows);
  }
  return error / std::max(all, 1e-30);
}

}  // namespace

OutputError::OutputError(const Graph& original, const Measure& measure, Outputs outputs)
    : measure_(measure), outputs_(outputs) {
  const Inferred inferred = infer(original, fitting_sizes(original, {}));
  for (const ValueId id : original.outputs) {
    const bool numbers = inferred.has(id) && inferred.types[id]->dtype == DType::f32 &&
                         inferred.shape(id).size() >= 2;
    if (!numbers || original.value(id).constant) continue;
    requests_.push_back({original.value(id).name, Reduction::samples, 1, kPoints});
    if (outputs == Outputs::classes) break;
  }
  if (requests_.empty()) return;
  for (const Node& node : original.nodes) {
    const bool last = std::ranges::find(node.outputs, original.outputs[0]) != node.outputs.end();
    softmax_ = softmax_ || (last && is_onnx(node, "Softmax"));
  }
  original_ = measure_(original, requests_);
}

double OutputError::of(const Graph& now) const {
  // What has run away is as bad as can be, and no reason to stop.
  const auto measured = attempt(ErrorKind::input, [&] { return measure_(now, requests_); });
  if (!measured) return std::numeric_limits<double>::infinity();
  double sum = 0;
  for (const EvidenceRequest& request : requests_) {
    const Tensor &then = original_.at(request), &is = measured->at(request);
    COPPICE_CHECK(then.shape() == is.shape(), "outputs of other shapes");
    sum += outputs_ == Outputs::classes ? divergence(then, is, softmax_) : squared_error(then, is);
  }
  return sum / static_cast<double>(requests_.size());
}

}  // namespace coppice
