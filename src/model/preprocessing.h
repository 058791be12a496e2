// How images become the input of a model: said by the user, by the model itself, or else by what
// is usual for the data.
#pragma once

#include <string>

#include "data/dataset.h"
#include "graph/graph.h"

namespace coppice {

// The metadata key under which a model carries its preprocessing.
inline constexpr char kPreprocessKey[] = "coppice.preprocess";

enum class PreprocessingFrom { option, metadata, dataset };
const char* name_of(PreprocessingFrom from);  // "--preprocess", "metadata", "data set"
// For sentences: "what the model's metadata says".
std::string described(PreprocessingFrom from, const std::string& dataset);

struct ChosenPreprocessing {
  Preprocessing how;
  PreprocessingFrom from = PreprocessingFrom::option;
  std::string warning = {};  // where it had to be guessed
};
// `option` if it isn't empty, else what the model's metadata says, else the data set's own
// statistics, which is a guess. Throws Error::usage where there are none.
ChosenPreprocessing choose_preprocessing(const std::string& option, const Graph& graph,
                                         const Dataset& dataset);

}  // namespace coppice
