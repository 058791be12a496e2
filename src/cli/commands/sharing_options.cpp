// See sharing_options.h.
#include "cli/commands/sharing_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "report/format.h"

namespace coppice {
namespace {

std::optional<int64_t> bits_of(std::string_view text) {
  int64_t bits = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  if (bits < 1 || bits > 16) return std::nullopt;
  return bits;
}

// Layers and bits of "LAYERS=N".
std::optional<std::pair<std::string, int64_t>> part_of(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  const std::optional<int64_t> bits = bits_of(std::string_view(text).substr(equals + 1));
  if (!bits) return std::nullopt;
  return std::pair(text.substr(0, equals), *bits);
}

void read_bits(const std::string& text, SharingOptions& options) {
  if (const auto both = bits_of(text)) {
    options.conv_bits = options.fc_bits = *both;
    return;
  }
  for (size_t begin = 0, end = 0; begin <= text.size(); ++end) {
    end = std::min(text.find(',', end), text.size());
    const auto part = part_of(text.substr(begin, end - begin));
    if (!part && end < text.size()) continue;  // a comma of the regular expression's own
    if (!part) {
      fail_usage("--bits '" + text +
                 "': expected such as conv=8,fc=5, or 6, or ^fc1=4 for the layers that a regular "
                 "expression matches, with 1 to 16 bits each");
    }
    if (part->first == "conv") {
      options.conv_bits = part->second;
    } else if (part->first == "fc") {
      options.fc_bits = part->second;
    } else {
      options.bits.push_back(*part);
    }
    begin = end + 1;
  }
}

}  // namespace

void add_sharing_options(CLI::App& app, SharingTexts& texts) {
  app.add_option("--bits", texts.bits,
                 "bits of a code for shared weights, by kind of layer or by name\n"
                 "(default conv=8,fc=5)")
      ->type_name("conv=N,fc=N,REGEX=N");
  app.add_option("--init", texts.init,
                 "where the shared values begin: linear (default), density or forgy")
      ->check(CLI::IsMember({"linear", "density", "forgy"}).description(""));
  app.add_option("--share-lr", texts.learning_rate,
                 "largest learning rate of tuning the shared values (default 0.0003)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("X");
  app.add_option("--share-optimizer", texts.optimizer,
                 "of that tuning: adam (default), or sgd, the paper's sum of gradients")
      ->check(CLI::IsMember({"adam", "sgd"}).description(""));
}

Request request_of(const SharingTexts& texts) {
  Request request;
  if (texts.bits) request.emplace_back("--bits", *texts.bits);
  if (texts.init) request.emplace_back("--init", *texts.init);
  if (texts.learning_rate) {
    request.emplace_back("--share-lr", significant(*texts.learning_rate, 12));
  }
  if (texts.optimizer) request.emplace_back("--share-optimizer", *texts.optimizer);
  return request;
}

SharingOptions sharing_options(const SharingTexts& texts, std::vector<std::string> keep,
                               uint64_t seed) {
  SharingOptions result;
  result.seed = seed;
  result.keep = std::move(keep);
  using Init = KMeansOptions::Init;
  if (texts.init == "density") result.init = Init::density;
  if (texts.init == "forgy") result.init = Init::forgy;
  if (texts.bits) read_bits(*texts.bits, result);
  if (texts.optimizer == "sgd") {
    if (!texts.learning_rate) {
      fail_usage(
          "--share-optimizer sgd needs --share-lr: its steps are sums over all weights that share "
          "a value, so no rate fits every network; begin near 1e-6");
    }
    result.steps.optimizer = OptimizerOptions::Kind::sgd;
  }
  result.steps.learning_rate = texts.learning_rate.value_or(result.steps.learning_rate);
  return result;
}

}  // namespace coppice
