// The file that --structure names.
#pragma once

#include <memory>

#include "methods/scratch/given_structure.h"
#include "tasks/parts/output_path.h"

namespace coppice {

// Null where none is named. Throws Error::input for what is neither a plan nor a model.
std::shared_ptr<const GivenStructure> read_structure(const Settings& settings, uint64_t seed);
// What it is read from, with the files beside it.
void reads_structure(Places& places, const GivenStructure* structure);
// What a result depends on of it; nothing where there is none.
Request request_of_structure(const GivenStructure* structure, uint64_t seed);

}  // namespace coppice
