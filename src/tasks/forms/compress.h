// A model into the small container of docs/format.md, after sharing its weights if that is asked
// for; and the same file back, byte by byte, unless sharing changed it or its weights lay in other
// files, which then are inside.
#pragma once

#include <optional>
#include <string>

#include "codec/container/codec.h"
#include "options/settings.h"
#include "tasks/parts/common.h"
#include "tasks/parts/density.h"
#include "tasks/parts/evaluate.h"

namespace coppice {

// Sharing, data, and those of training that tuning shared values has a use for.
OptionList options_of_compress();
// Of those it has none: what is trained are the shared values alone.
OptionList options_without_meaning_to_compress();

struct CompressRequest {
  std::string model, output;
  Settings settings = Settings(options_of_compress());
  CodecOptions codec = {};
  bool resume = false;  // an unfinished training
  CommonRequest common = {};
};

struct CompressReport {
  std::string model, output;
  CodecReport codec;
  DensityChange density;
  std::optional<Evaluation> before,
      after;  // where shared values were tuned, and classes told apart
  std::string judged_by;
  Json training = {}, judging = {};  // null where nothing was trained

  double ratio() const;
};

// Throws Error::usage for settings that contradict each other, such as data without bits.
void check(const CompressRequest& request);
CompressReport compress(const CompressRequest& request, Watcher& watcher);

Json to_json(const CompressReport& report);

// Weights that share values; a bias of values all different is no codebook to the paper.
bool is_shared(const TensorReport& tensor);

struct DecompressRequest {
  std::string container, output;
  CommonRequest common = {};
};

struct DecompressReport {
  std::string container, output;
  int64_t bytes = 0;  // of what was written
};

DecompressReport decompress(const DecompressRequest& request, Watcher& watcher);

Json to_json(const DecompressReport& report);

}  // namespace coppice
