// Evidence with gradients comes batch by batch; here it becomes that of all of them.
#pragma once

#include <map>
#include <vector>

#include "evidence/evidence.h"

namespace coppice {

class EvidenceOfBatches {
 public:
  // Requires: the same requests for each batch, all of which need gradients.
  void add(const Evidence& batch, int64_t images);
  // What speaks of images, batch behind batch; the others' means (requests.h). Throws
  // Error::input, naming value and channel, where it isn't finite.
  Evidence finish() const;

 private:
  struct Gathered {
    Shape shape;  // of a batch's answer
    DType dtype = DType::undefined;
    std::vector<double> numbers;
  };
  std::map<EvidenceRequest, Gathered> gathered_;
  int64_t batches_ = 0, images_ = 0;
};

}  // namespace coppice
