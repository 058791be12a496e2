// See at_start_options.h.
#include "methods/sparse_training/at_start/at_start_options.h"

#include "methods/options/blocks.h"

namespace coppice {

OptionList at_start_options() {
  return changed(changed(masking_options(), {&kSparsity, "0.9"}), {&kScope, "global"});
}

OptionList at_start_options_with_images() {
  return joined(at_start_options(), {{&kImages, "10 for each class"}});
}

AtStartOptions at_start_of(const MethodInput& input) {
  const Settings& settings = input.settings;
  AtStartOptions options{.pruning = masking_of(settings), .seed = input.seed, .warn = input.warn};
  if (has_option(settings.options(), kImages)) options.images = settings.given(kImages).value_or(0);
  return options;
}

}  // namespace coppice
