// A program that runs models for tests and knows nothing of Coppice: it says in a first line
// whether it is there, and then answers one JSON object a line (tests/onnxruntime/judge.mjs,
// tests/opencv/judge.py). Not for use by several threads at once.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/process/child_process.h"
#include "support/onnxruntime.h"
#include "support/temp_dir.h"

namespace coppice {

class OutsideProcess {
 public:
  // `name`: of what runs there, for messages. Nothing where there is no such program, or it says
  // that it lacks something. Throws std::runtime_error when it is there and fails.
  static std::optional<OutsideProcess> start(const std::string& name,
                                             std::vector<std::string> arguments);

  // Throws std::runtime_error with its own message.
  nlohmann::json ask(const nlohmann::json& request);
  std::vector<NamedTensor> run(const std::filesystem::path& model,
                               const std::vector<NamedTensor>& inputs);

  static nlohmann::json written(const std::vector<NamedTensor>& inputs, const TempDir& dir);

 private:
  OutsideProcess(std::string name, ChildProcess process)
      : name_(std::move(name)), process_(std::move(process)) {}
  nlohmann::json receive();

  std::string name_;
  ChildProcess process_;
};

}  // namespace coppice
