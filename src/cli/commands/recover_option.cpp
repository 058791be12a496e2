// See recover_option.h.
#include "cli/commands/recover_option.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/error.h"

namespace coppice {

void add_recover(CLI::App& app, std::string& recover) {
  app.add_option("--recover", recover,
                 "make up for what leaves, without data: by biases, by merging it into\n"
                 "what stays, by the variances of BatchNormalization; best all three\n"
                 "(default: none; with --soft all)")
      ->type_name("all|none|bias,merge,scale");
}

RecoverOptions recover_options(const std::string& text) {
  if (text.empty() || text == "none") return {};
  if (text == "all") return {.bias = true, .merge = true, .scale = true};
  RecoverOptions options;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    if (part != "bias" && part != "merge" && part != "scale") {
      fail_usage("--recover '" + text + "': found '" + part +
                 "', expected all, none, or some of bias, merge and scale, such as bias,merge");
    }
    options.bias |= part == "bias";
    options.merge |= part == "merge";
    options.scale |= part == "scale";
    begin = end + 1;
  }
  return options;
}

}  // namespace coppice
