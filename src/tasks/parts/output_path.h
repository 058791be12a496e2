// Where a task may write. What can't work is refused before anything is read or computed, and
// nothing is ever written over what the task reads, over another of its outputs, or over
// another model's weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tasks/parts/common.h"

namespace coppice {

// Throws Error::input where the folder that `output` is to lie in isn't there: a path that was
// mistyped makes no folders. Those that a command fills itself (of a run, a comparison) are made.
void require_folder_of(const std::string& output);

class Places {
 public:
  // What every task reads and writes: also the files of a run's record.
  explicit Places(const CommonRequest& common);

  // MODEL, and the files beside it that hold its weights; a net of the zoo is no file.
  void reads_model(const std::string& model);
  void reads(const std::filesystem::path& path);
  // A data set: the files that NAME:FILE,FILE,... names, or what lies in the folder of NAME:DIR.
  void reads_data(const std::string& spec);

  // The path behind `output`, with a symbolic link followed, so that writing replaces what the link
  // names; an output from here on. Throws Error::usage where it is an input, another output,
  // another model's weights or a file of the data, Error::input for devices, pipes and the like.
  // `option` is for messages. Folders are AtomicFile's to refuse.
  // `ending`: what the name must end in, since other tools go by it; empty: anything. Throws
  // Error::usage for another.
  std::filesystem::path writes(const std::string& option, const std::string& output,
                               const std::string& ending = "");
  // A folder whose contents are replaced: nothing of the above may lie within. Throws Error::usage.
  void replaces_folder(const std::string& what, const std::filesystem::path& folder);

  // All of the above: names that data beside a model must not take (onnx/onnx.h).
  const std::vector<std::filesystem::path>& taken() const { return taken_; }

 private:
  void require_free(const std::string& what, const std::filesystem::path& path) const;
  void require_no_data(const std::string& what, const std::filesystem::path& path) const;

  std::vector<std::filesystem::path> taken_;
  std::filesystem::path data_folder_;  // empty for none
};

}  // namespace coppice
