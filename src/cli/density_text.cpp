// See density_text.h.
#include "cli/density_text.h"

#include "report/format.h"

namespace coppice {

std::string density_line(const DensityChange& change) {
  if (!change.notable()) return "";
  std::string line = "nonzero weights: " + percentage(1 - sparsity(change.before.weights)) +
                     " before, " + percentage(1 - sparsity(change.after.weights)) + " after";
  if (change.before.shared_layers > 0 || change.after.shared_layers > 0) {
    line += "; " + shared_layers_text(change.before.shared_layers) + " before, " +
            with_separators(change.after.shared_layers) + " after";
  }
  return line + "\n";
}

}  // namespace coppice
