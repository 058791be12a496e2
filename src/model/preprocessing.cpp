// See preprocessing.h.
#include "model/preprocessing.h"

#include "core/error.h"

namespace coppice {

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
  const std::optional<Preprocessing> usual = dataset.own_preprocessing();
  if (!usual) {
    fail_usage("the model doesn't say how it wants images preprocessed, and data set '" +
               dataset.name() + "' has no usual way; give --preprocess, for example imagenet");
  }
  return {*usual, PreprocessingFrom::dataset,
          "the model doesn't say how it wants images preprocessed; using what is usual for " +
              dataset.name() + ": " + to_string(*usual) + "; --preprocess says otherwise"};
}

}  // namespace coppice
