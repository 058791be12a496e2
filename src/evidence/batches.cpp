#include "evidence/batches.h"

#include "core/error.h"

namespace coppice {
namespace {

template <typename T>
void add_times(std::vector<double>& sums, std::span<const T> numbers, double times) {
  sums.resize(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) sums[i] += times * double{numbers[i]};
}

}  // namespace

void EvidenceOfBatches::add(const Evidence& batch, int64_t images) {
  COPPICE_CHECK(batches_ == 0 || batch.size() == gathered_.size(), "a batch of other requests");
  ++batches_;
  images_ += images;
  for (const auto& [request, answer] : batch.answers()) {
    COPPICE_CHECK(needs_gradients(request.reduction), "a batch of evidence without gradients");
    Gathered& gathered = gathered_[request];
    gathered.shape = answer.shape();
    gathered.dtype = answer.dtype();
    if (is_of_weights(request.reduction)) {
      const auto share = static_cast<double>(images);
      if (answer.dtype() == DType::f32) {
        add_times(gathered.numbers, answer.as<float>(), share);
      } else {
        add_times(gathered.numbers, answer.as<double>(), share);
      }
    } else if (request.reduction == Reduction::scale_saliency) {
      add_times(gathered.numbers, answer.as<double>(), 1);
    } else {
      const auto numbers = answer.as<double>();
      gathered.numbers.insert(gathered.numbers.end(), numbers.begin(), numbers.end());
    }
  }
}

Evidence EvidenceOfBatches::finish() const {
  Evidence evidence;
  for (const auto& [request, gathered] : gathered_) {
    const bool of_weight = is_of_weights(request.reduction);
    std::vector<double> numbers = gathered.numbers;
    Shape shape = gathered.shape;
    if (is_of_gates(request.reduction)) {
      shape[0] = request.reduction == Reduction::batch_gate_gradients ? batches_ : images_;
    } else {
      for (double& x : numbers) x /= static_cast<double>(of_weight ? images_ : batches_);
    }
    const Tensor answer = gathered.dtype == DType::f32
                              ? Tensor::of<float>(shape, {numbers.begin(), numbers.end()})
                              : Tensor::of<double>(shape, numbers);
    if (const auto channel = first_not_finite(answer)) {
      fail_input("gradients of '" + request.value + "'" +
                 (of_weight ? "" : ", channel " + std::to_string(*channel)) +
                 ": found a NaN or an infinity, expected finite numbers; is the preprocessing "
                 "right, or has the training diverged?");
    }
    evidence.add(request, answer);
  }
  return evidence;
}

}  // namespace coppice
