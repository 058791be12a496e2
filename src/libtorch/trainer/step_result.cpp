// See step_result.h.
#include "libtorch/trainer/step_result.h"

#include <algorithm>
#include <cmath>

namespace coppice::train {
namespace {

// LibTorch's functions for it take as long as a layer of a small net.
int64_t count_on_cpu(const at::Tensor& scores, const at::Tensor& labels) {
  const at::Tensor rows = scores.to(at::kFloat).contiguous();
  const int64_t classes = rows.size(1);
  const float* row = rows.data_ptr<float>();
  const int64_t* label = labels.data_ptr<int64_t>();
  int64_t correct = 0;
  for (int64_t i = 0; i < rows.size(0); ++i, row += classes) {
    correct += std::max_element(row, row + classes) - row == label[i];
  }
  return correct;
}

}  // namespace

StepResult read_result(const at::Tensor& loss, const at::Tensor& scores, const at::Tensor& labels,
                       int64_t classes) {
  StepResult result;
  if (loss.is_cpu()) {
    result.loss = loss.item<double>();
    if (!labels.defined() || !std::isfinite(result.loss)) return result;
    result.correct = count_on_cpu(scores.detach().reshape({-1, classes}), labels);
    return result;
  }
  at::Tensor correct = at::zeros({}, loss.options().requires_grad(false));
  if (labels.defined()) {
    correct = scores.detach().reshape({-1, classes}).argmax(1).eq(labels).sum();
  }
  const at::Tensor both =
      at::stack({loss.detach().to(at::kDouble), correct.to(at::kDouble)}).to(at::kCPU);
  result.loss = both[0].item<double>();
  if (std::isfinite(result.loss)) result.correct = std::llround(both[1].item<double>());
  return result;
}

}  // namespace coppice::train
