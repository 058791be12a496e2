// See preprocessing.h.
#include "model/preprocessing.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "graph/infer.h"

namespace coppice {
namespace {

// A crop that is usual for a data set is of a model of that size: for another it becomes that
// one's, and what the image is resized to shrinks or grows with it.
Preprocessing fitted(Preprocessing usual, const Graph& graph) {
  constexpr size_t kRank = 4;  // N, C, H, W
  if (usual.crop == 0 || graph.inputs.empty()) return usual;
  const Shape input = input_shape(graph, graph.inputs.front(), {});
  if (input.size() != kRank) return usual;
  const bool channels_last = usual.layout == Preprocessing::Layout::nhwc;
  const int64_t height = input[channels_last ? 1 : 2], width = input[channels_last ? 2 : 3];
  if (height == usual.crop && width == usual.crop) return usual;
  const double larger =
      static_cast<double>(std::max(height, width)) / static_cast<double>(usual.crop);
  usual.resize = std::llround(larger * static_cast<double>(usual.resize));
  usual.crop = height == width ? height : 0;
  return usual;
}

}  // namespace

const char* name_of(PreprocessingFrom from) {
  switch (from) {
    case PreprocessingFrom::option: return "--preprocess";
    case PreprocessingFrom::metadata: return "metadata";
    case PreprocessingFrom::dataset: return "data set";
  }
  return "";
}

std::string described(PreprocessingFrom from, const std::string& dataset) {
  switch (from) {
    case PreprocessingFrom::option: return "given by --preprocess";
    case PreprocessingFrom::metadata: return "what the model's metadata says";
    case PreprocessingFrom::dataset: return "what is usual for " + dataset;
  }
  return "";
}

ChosenPreprocessing choose_preprocessing(const std::string& option, const Graph& graph,
                                         const Dataset& dataset) {
  if (!option.empty()) return {parse_preprocessing(option), PreprocessingFrom::option};
  if (const std::string own = metadata(graph, kPreprocessKey); !own.empty()) {
    return within("the model's metadata '" + std::string(kPreprocessKey) + "'",
                  [&]() -> ChosenPreprocessing {
                    return {parse_preprocessing(own), PreprocessingFrom::metadata};
                  });
  }
  std::optional<Preprocessing> usual = dataset.own_preprocessing();
  if (!usual) {
    fail_usage("the model doesn't say how it wants images preprocessed, and data set '" +
               dataset.name() + "' has no usual way; give --preprocess, for example imagenet");
  }
  *usual = fitted(*usual, graph);
  return {*usual, PreprocessingFrom::dataset,
          "the model doesn't say how it wants images preprocessed; using what is usual for " +
              dataset.name() + ": " + to_string(*usual) + "; --preprocess says otherwise"};
}

}  // namespace coppice
