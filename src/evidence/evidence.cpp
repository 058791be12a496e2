#include "evidence/evidence.h"

#include "core/error.h"

namespace coppice {

void Evidence::add(const EvidenceRequest& request, Tensor answer) {
  answers_.insert_or_assign(request, std::move(answer));
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

}  // namespace coppice
