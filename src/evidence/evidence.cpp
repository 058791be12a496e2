#include "evidence/evidence.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace coppice {
namespace {

template <typename T>
std::optional<int64_t> first_not_finite_of(const Tensor& answer) {
  const auto numbers = answer.as<T>();
  const auto bad = std::ranges::find_if(numbers, [](T x) { return !std::isfinite(x); });
  if (bad == numbers.end()) return std::nullopt;
  return (bad - numbers.begin()) % answer.shape().back();
}

}  // namespace

void Evidence::add(const EvidenceRequest& request, Tensor answer) {
  answers_.insert_or_assign(request, std::move(answer));
}

void Evidence::add(const Evidence& others) {
  for (const auto& [request, answer] : others.answers_) add(request, answer);
}

const Tensor* Evidence::find(const EvidenceRequest& request) const {
  const auto found = answers_.find(request);
  return found == answers_.end() ? nullptr : &found->second;
}

const Tensor& Evidence::at(const EvidenceRequest& request) const {
  const Tensor* answer = find(request);
  COPPICE_CHECK(answer, "evidence of '" + request.value + "' that nobody asked for");
  return *answer;
}

void refuse(const EvidenceRequest& request, const std::string& why) {
  fail_usage("evidence of value '" + request.value + "': " + why);
}

std::optional<int64_t> first_not_finite(const Tensor& answer) {
  return answer.dtype() == DType::f32 ? first_not_finite_of<float>(answer)
                                      : first_not_finite_of<double>(answer);
}

}  // namespace coppice
