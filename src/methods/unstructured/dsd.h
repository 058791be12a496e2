// DSD: a trained dense network is pruned, trained so, and trained dense again.
#pragma once

#include <string>
#include <vector>

#include "methods/outcome.h"
#include "session/session.h"

namespace coppice {

struct DsdOptions {
  double sparsity = 0.3;  // of every layer but the first convolution; the paper takes 0.25 to 0.5
  std::vector<std::string> keep = {};  // regular expressions: layers that stay dense
  int64_t rounds = 1;                  // sparse and dense phases so often
  int together = 1;  // filters that are masked alike (MagnitudeOptions), as they lie
};

// The session's original is the first dense phase's result. Each round trains by `recipe` with
// fixed masks and then, at a tenth of its rate, with all weights again, those that were pruned from
// zero. The outcome is dense and of the original's shapes; its plan is empty. Throws as
// magnitude_masks does, and Error::target for a model that is sparser already.
Outcome dense_sparse_dense(Session& session, const DsdOptions& options, const Recipe& recipe);

}  // namespace coppice
