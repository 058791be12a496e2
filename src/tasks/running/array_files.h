// Arrays of a model's inputs or outputs as files: npy files of one array each, or one npz archive
// of several by their names.
//
//   x.npy          of the one input (output) that the model has
//   NAME=x.npy     of the one of that name; names and paths may hold '='
//   all.npz        of all that the archive holds; written, of all outputs
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "tasks/parts/output_path.h"

namespace coppice {

// What texts are about, for messages.
struct ArrayRole {
  const char* option;              // "--input"
  const char* noun;                // "input"
  std::vector<std::string> names;  // all that the model has
};

struct ArrayFile {
  std::optional<std::string> name;  // nothing: an archive
  std::string file;
};

// Throws Error::usage where it isn't clear whose file that is, or the name is none of the model's.
ArrayFile array_file(const std::string& text, const ArrayRole& role);

struct FoundArray {
  Tensor tensor;
  std::string where;  // "'x.npy'", for messages
};

// By input name. Throws Error::usage also where one is given twice, Error::input for files that
// hold no such arrays.
std::map<std::string, FoundArray> read_arrays(const std::vector<ArrayFile>& files,
                                              const ArrayRole& role);

// Where each output goes. `files`: as array_file found them. Throws Error::usage where two are of
// one output, and what Places throws.
struct ArrayTarget {
  std::optional<std::string> name;  // nothing: all of them
  std::filesystem::path file;
};
std::vector<ArrayTarget> targets_of(const std::vector<ArrayFile>& files, const ArrayRole& role,
                                    Places& places);

// All files are whole before the first one comes to its place. `arrays`: all outputs by name.
void write_arrays(const std::vector<ArrayTarget>& targets,
                  const std::map<std::string, Tensor>& arrays);

}  // namespace coppice
