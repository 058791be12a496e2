// See opencv.h.
#include "support/outside/opencv.h"

#include <utility>

#include "support/outside/process.h"

namespace coppice {

struct OpenCv::Process {
  OutsideProcess python;
};

OpenCv::OpenCv(std::unique_ptr<Process> process) : process_(std::move(process)) {}
OpenCv::~OpenCv() = default;
OpenCv::OpenCv(OpenCv&&) noexcept = default;
OpenCv& OpenCv::operator=(OpenCv&&) noexcept = default;

std::optional<OpenCv> OpenCv::start() {
  auto python = OutsideProcess::start(
      "OpenCV", {"/usr/bin/python3", COPPICE_SOURCE_DIR "/tests/opencv/judge.py"});
  if (!python) return std::nullopt;
  return OpenCv(std::make_unique<Process>(Process{std::move(*python)}));
}

std::vector<NamedTensor> OpenCv::run(const std::filesystem::path& model,
                                     const std::vector<NamedTensor>& inputs) {
  return process_->python.run(model, inputs);
}

}  // namespace coppice
