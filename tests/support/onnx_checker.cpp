#include "support/onnx_checker.h"

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace coppice {

std::vector<std::string> check_models(const std::vector<std::filesystem::path>& models) {
  std::string command = COPPICE_ONNX_CHECK;
  for (const auto& model : models) command += " '" + model.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  if (!pipe) throw std::runtime_error("can't run " + command);
  std::vector<std::string> verdicts(1);
  for (int letter; (letter = std::fgetc(pipe.get())) != EOF;) {
    if (letter == '\n') {
      verdicts.emplace_back();
    } else {
      verdicts.back() += static_cast<char>(letter);
    }
  }
  verdicts.pop_back();
  if (verdicts.size() != models.size()) throw std::runtime_error("no verdicts of " + command);
  return verdicts;
}

}  // namespace coppice
