// Tensors whose data lie in a file beside the model. Private to `onnx`.
//
// A model from somebody else names files in its own folder and no others. Each is read once and
// stays in memory as long as a tensor points into it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "core/files.h"
#include "onnx.pb.h"

namespace coppice {

class FilesBeside {
 public:
  explicit FilesBeside(std::filesystem::path folder) : folder_(std::move(folder)) {}

  using Data = std::pair<std::shared_ptr<const void>, std::optional<std::span<const std::byte>>>;
  // Throws Error::input, naming the tensor and the file, for a place outside the folder, a file
  // that can't be read, or a range that it doesn't have.
  Data data_of(const onnx::TensorProto& proto);

 private:
  std::filesystem::path folder_;
  std::map<std::string, Buffer> files_;
};

}  // namespace coppice
